// To whom conversations can be assigned.
import { clinic } from '../lib/clinic.svelte';
import type { Assignment, ConversationView } from '../lib/api';
import { desk } from '../frame/desk.svelte';

/** Colleagues who work on conversations, by name, with `also`: whoever has it, even if they have left. */
export function colleagues(also?: { id: string; name: string } | null): [id: string, name: string][] {
  const known = new Map(clinic.staff.filter((one) => one.role !== 'auditor' && one.active).map((one) => [one.id, one.name]));
  if (also) known.set(also.id, also.name);
  known.delete(desk.me.id);
  return [...known].sort((a, b) => a[1].localeCompare(b[1]));
}

/** The choice that stands for whoever has it. */
export const assignedTo = ({ assignee }: ConversationView): string => (assignee ? `staff:${assignee.id}` : 'nobody');

/** What a choice stands for: `nobody`, `staff:<id>`, `team:<id>`. */
export function assignment(choice: string): Assignment {
  const [kind, id] = choice.split(':');
  return kind === 'team' ? { team_id: id!, assignee_id: null } : { assignee_id: id ?? null };
}
