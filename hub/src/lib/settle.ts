/** Many calls at once are one piece of work: now, and once more when they settle. */
export function settle(work: () => void, pauseMs: number): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let again = false;
  const rest = () => {
    timer = null;
    if (!again) return;
    again = false;
    work();
    timer = setTimeout(rest, pauseMs);
  };
  return () => {
    if (timer) {
      again = true;
      return;
    }
    work();
    timer = setTimeout(rest, pauseMs);
  };
}
