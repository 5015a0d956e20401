// The search, in Spanish.
import type { Catalog } from '../en';

const many = (count: number, one: string, more: string) => (count === 1 ? `1 ${one}` : `${count} ${more}`);

export const search: Catalog['search'] = {
  label: 'Buscar mensajes y pacientes',
  placeholder: 'Buscar mensajes, pacientes, teléfonos',
  results: 'Resultados de la búsqueda',
  clear: 'Cerrar la búsqueda',
  hint: 'Escriba una palabra de un mensaje, un nombre, una fecha de nacimiento o los últimos cuatro dígitos de un teléfono.',
  searching: 'Buscando…',
  patients: 'Pacientes',
  messages: 'Mensajes y notas',
  nothing: (text) => `No se encontró nada para «${text}».`,
  nothingHelp: 'Pruebe con menos palabras, o solo con el comienzo de una: tres letras bastan.',
  found: (n) => (n === 0 ? 'No se encontró nada' : many(n, 'resultado', 'resultados')),
  notYet: (when) => `Se ha buscado hasta ${when}.`,
  goOn: 'Seguir buscando',
  indexing: 'Los mensajes antiguos aún se están preparando para la búsqueda. También se encuentran, pero tarda más.',
  phone: 'Número de teléfono',
  agrees: { name: 'Nombre', date_of_birth: 'Fecha de nacimiento', phone: 'Número de teléfono', id: 'Número de expediente' },
  noConversation: 'Aún sin conversación',
  note: 'Nota',
  automatic: 'Automático',
  palette: 'Buscar mensajes…',
  paletteFor: (text) => `Buscar mensajes con «${text}»`,
};
