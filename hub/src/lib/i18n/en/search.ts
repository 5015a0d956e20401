// The search, in English.
const many = (count: number, one: string, more: string) => (count === 1 ? `1 ${one}` : `${count} ${more}`);

export const search = {
  label: 'Search messages and patients',
  placeholder: 'Search messages, patients, phones',
  results: 'Search results',
  clear: 'Close search',
  hint: 'Type a word from a message, a name, a birthday, or the last four digits of a phone number.',
  searching: 'Searching…',
  patients: 'Patients',
  messages: 'Messages and notes',
  nothing: (text: string) => `Nothing found for “${text}”.`,
  nothingHelp: 'Try fewer words, or only the beginning of a word: three letters are enough.',
  found: (n: number) => (n === 0 ? 'Nothing found' : many(n, 'result', 'results')),
  notYet: (when: string) => `Looked back to ${when}.`,
  goOn: 'Keep looking',
  indexing: 'Older messages are still being prepared for the search. They are found too, but it takes longer.',
  phone: 'Phone number',
  agrees: { name: 'Name', date_of_birth: 'Date of birth', phone: 'Phone number', id: 'Record number' } as Record<string, string>,
  noConversation: 'No conversation yet',
  note: 'Note',
  automatic: 'Automatic',
  palette: 'Search messages…',
  paletteFor: (text: string) => `Search messages for “${text}”`,
};
