import { expect, test } from 'vitest';

import { translator } from './served.svelte';

const say = translator({
  'Send it again.': 'Envíelo de nuevo.',
  'There is no such {}.': 'No se encuentra: {1}.',
  conversation: 'conversación',
  'File {} is {}; this takes {}.': 'Aquí se acepta {3}; el archivo {1} es {2}.',
  'It is {}': 'Es {1}',
  'It is {} already': 'Ya es {1}',
});

test('whole sentences, and what varies in its place', () => {
  expect(say('Send it again.')).toBe('Envíelo de nuevo.');
  expect(say('There is no such conversation.')).toBe('No se encuentra: conversación.');
  expect(say('There is no such (thing)*.')).toBe('No se encuentra: (thing)*.');
  expect(say('File 2 is a PDF; this takes pictures.')).toBe('Aquí se acepta pictures; el archivo 2 es a PDF.');
});

test('the longer pattern before the shorter', () => {
  expect(say('It is late already')).toBe('Ya es late');
});

test('each of several sentences; what is unknown stays', () => {
  expect(say('There is no such conversation. Send it again.')).toBe('No se encuentra: conversación. Envíelo de nuevo.');
  expect(say('Unheard of. Send it again.')).toBe('Unheard of. Envíelo de nuevo.');
  expect(say('Unheard of')).toBe('Unheard of');
  expect(say('')).toBe('');
});
