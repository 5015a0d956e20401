// One saved reply: who is writing.
import { settings } from 'anteroom:policy/host@1.0.0';
import { field } from 'anteroom:policy/patient@1.0.0';

export const shortcuts = {
  list() {
    const { greeting } = JSON.parse(settings());
    return [{ name: 'hello', title: 'Say hello', template: greeting }];
  },

  expand(name, context) {
    if (name !== 'hello') return undefined;
    const known = { staff: context.staffName, patient: field('first-name') };
    const missing = [];
    const { greeting } = JSON.parse(settings());
    const body = greeting.replace(/\{\{(patient|staff)\}\}/g, (written, variable) => {
      if (known[variable]) return known[variable];
      missing.push(variable);
      return written;
    });
    return { body, missing };
  },
};
