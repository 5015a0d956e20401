/** For a form's `oninvalidcapture`: the browser can't show what it finds wrong in what is folded away. */
export function unfold({ target }: Event): void {
  let folded = target instanceof Element ? target.closest('details') : null;
  while (folded) {
    folded.open = true;
    folded = folded.parentElement?.closest('details') ?? null;
  }
}
