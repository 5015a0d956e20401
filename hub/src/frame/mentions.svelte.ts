// Where colleagues mention the person: how many there are that they have not seen.
import { api } from '../lib/api';

class Mentions {
  unread = $state(0);

  count = async (): Promise<void> => {
    try {
      this.unread = (await api.unreadMentions()).unread;
    } catch {
      // The next mention or look counts anew.
    }
  };

  forget(): void {
    this.unread = 0;
  }
}

export const mentions = new Mentions();
