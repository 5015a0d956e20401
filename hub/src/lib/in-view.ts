/** An attachment for a bar of links that is scrolled on a phone: the current one is in view, anew for each `current`. */
export const currentInView = (current: unknown) => (bar: HTMLElement): void => {
  void current;
  bar.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
};
