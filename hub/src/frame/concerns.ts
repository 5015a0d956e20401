// Whether something that happened is to be told to a person.
import type { LiveEvent } from '../lib/live';

export interface Listener {
  id: string;
  teams: readonly { id: string }[];
  notifications: 'off' | 'mine' | 'all';
}

/** What an event is to somebody: a text or a mention that they want to be told of. */
export function concerns(event: LiveEvent, { id, teams, notifications }: Listener): 'text' | 'mention' | null {
  if (notifications === 'off' || !event.conversation_id || event.actor_id === id) return null;
  const { assignee_id: assignee, team_id: team, mentioned } = event.data;
  if (event.kind === 'note.added') return Array.isArray(mentioned) && mentioned.includes(id) ? 'mention' : null;
  if (event.kind !== 'message.received') return null;
  if (notifications === 'all' || assignee === id) return 'text';
  // Also in conversations that have waited for days: each new text counts.
  return !assignee && teams.some((one) => one.id === team) ? 'text' : null;
}
