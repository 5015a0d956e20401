import type { help as words } from '../en/help';

export const help: typeof words = {
  button: 'Ayuda',
  unread: (n) => (n === 1 ? ' respuesta para usted' : ' respuestas para usted'),
  palette: 'Ayuda',
  all: 'Centro de ayuda',
  ask: 'Pedir ayuda',
};
