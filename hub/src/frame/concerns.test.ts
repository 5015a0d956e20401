import { describe, expect, it } from 'vitest';

import { concerns } from './concerns';

const event = (kind: string, data: Record<string, unknown>, actor_id: string | null = null) => ({ seq: 1, kind, at: '', conversation_id: 'c', actor: 'patient', actor_id, data });
const maya = { id: 'maya', teams: [{ id: 'pharmacy' }], notifications: 'mine' as const };

describe('concerns', () => {
  it('tells of one’s own, of one’s teams’ unassigned, and of mentions', () => {
    expect(concerns(event('message.received', { assignee_id: 'maya', team_id: null }), maya)).toBe('text');
    expect(concerns(event('message.received', { assignee_id: null, team_id: 'pharmacy' }), maya)).toBe('text');
    expect(concerns(event('note.added', { mentioned: ['sam', 'maya'] }, 'sam'), maya)).toBe('mention');
  });

  it('leaves out what is others’, what one did oneself, and all else', () => {
    expect(concerns(event('message.received', { assignee_id: 'sam', team_id: 'pharmacy' }), maya)).toBeNull();
    expect(concerns(event('message.received', { assignee_id: null, team_id: 'billing' }), maya)).toBeNull();
    expect(concerns(event('message.received', { assignee_id: null, team_id: null }), maya)).toBeNull();
    expect(concerns(event('note.added', { mentioned: ['sam'] }, 'sam'), maya)).toBeNull();
    expect(concerns(event('note.added', { mentioned: ['maya'] }, 'maya'), maya)).toBeNull();
    expect(concerns(event('message.queued', { assignee_id: 'maya' }), maya)).toBeNull();
  });

  it('does as one chose', () => {
    const other = event('message.received', { assignee_id: 'sam', team_id: null });
    expect(concerns(other, { ...maya, notifications: 'all' })).toBe('text');
    expect(concerns(event('note.added', { mentioned: ['maya'] }, 'sam'), { ...maya, notifications: 'off' })).toBeNull();
  });
});
