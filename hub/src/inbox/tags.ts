import type { ConversationView } from '../lib/api';

/** Tags that say more than the category does. */
export const tagsOf = ({ tags, category }: ConversationView): string[] => tags.filter((tag) => tag !== category).map((tag) => `#${tag}`);
