// How long a page's main thread is busy at a stretch, as the browser itself writes it down.

/**
 * Runs `work` while Chromium traces the page. Resolves to how many tasks its main thread ran, and how long the longest
 * took, in milliseconds of the thread's own CPU time: what else the machine does doesn't count.
 */
export async function trace(page, work) {
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'] } });
  await work();
  await session.send('Tracing.end');
  await complete;
  await session.detach();
  const mains = new Set(events.filter((event) => event.name === 'thread_name' && event.args.name === 'CrRendererMain').map((event) => `${event.pid} ${event.tid}`));
  const tasks = events.filter((event) => event.name === 'RunTask' && event.ph === 'X' && mains.has(`${event.pid} ${event.tid}`));
  return { tasks: tasks.length, longest: Math.max(0, ...tasks.map((event) => (event.tdur ?? event.dur) / 1000)) };
}
