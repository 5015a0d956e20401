// Every kind that the server words in English is worded here, and with the same names in it.
// @ts-ignore: the Hub runs in browsers and has no types of Node's.
import { readFileSync } from 'node:fs';
// @ts-ignore
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

import type { TimelineEntry } from '../../../generated';
import { step } from './steps';

const source = readFileSync(fileURLToPath(new URL('../../../../../core/server/src/hub/timeline.rs', import.meta.url)), 'utf8');
const kinds = [...new Set([...source.matchAll(/^ {8}"([a-z_]+\.[a-z_]+)"/gm)].map(([, kind]) => kind!))];

const entry = (kind: string, data: Record<string, unknown> = {}, more: Partial<TimelineEntry> = {}): TimelineEntry => ({
  seq: 1, at: '2026-11-28T12:00:00Z', kind, actor: 'staff', actor_name: 'Maya Torres', summary: 'In English', data, names: { s1: 'Sam Okafor', t1: 'Pharmacy' }, ...more,
});

test('the kinds are found', () => expect(kinds.length).toBeGreaterThan(35));

test.each(kinds)('%s', (kind) => {
  const words = step(entry(kind));
  expect(words, kind).toBeTruthy();
  expect(words).not.toMatch(/undefined|null|\[object/);
});

test('unknown kinds are left to the server', () => expect(step(entry('weather.changed'))).toBeNull());

test.each([
  ['conversation.assigned', { assignee_id: 's1', from: null, team_id: 't1', from_team: null }, 'Maya Torres la asignó a Sam Okafor y la pasó a Pharmacy'],
  ['conversation.assigned', { assignee_id: null, from: 's9', team_id: null, from_team: null, because: 'left' }, 'Maya Torres la devolvió a Sin asignar: alguien que ya no está ya no atiende conversaciones'],
  ['conversation.closed', { returns_to: 's1' }, 'Maya Torres la cerró; un mensaje nuevo vuelve a Sam Okafor'],
  ['conversation.tagged', { priority: { from: 'normal', to: 'urgent' }, tags: { added: ['inhaler'], removed: [] } }, 'Maya Torres puso la prioridad urgente y la etiquetó inhaler'],
  ['conversation.routed', { team: 'Pharmacy', category: 'refill', priority: 'normal', policy: 'routing', policy_version: '1.0.0', reason: 'refill', kept: ['team'] },
    'Enviada al equipo Pharmacy, categoría refill, prioridad normal por la regla «routing» 1.0.0 (puesto por el personal: el equipo): refill'],
  ['conversation.reopened', { by: 'text', left: 's1' }, 'Un mensaje nuevo la reabrió; Sam Okafor ya no trabaja aquí, así que está en Sin asignar'],
  ['identity.matched', { agreed: ['last-name', 'date-of-birth'] }, 'Verificado como paciente: coinciden apellido, fecha de nacimiento'],
  ['message.queued', { why: { keyword: 'stop' } }, 'Se contestó STOP automáticamente', { actor: 'host', actor_name: null }],
] as [string, Record<string, unknown>, string, Partial<TimelineEntry>?][])('%s with %o', (kind, data, words, more) => {
  expect(step(entry(kind, data, more))).toBe(words);
});
