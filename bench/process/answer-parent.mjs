// @ts-check

/**
 * The child's end of `BenchProcess`: answers each question by the function of that name. A function that throws ends
 * the process, and with it the run: a measurement that went wrong must not become a figure.
 *
 * @param {Readonly<Record<string, (detail: any) => unknown>>} answers
 * @param {() => unknown} [beforeExit] cleans up
 */
export function answerParent(answers, beforeExit) {
  process.on('message', async (/** @type {any} */ { id, question, detail }) => {
    const answer = answers[question];
    if (answer === undefined) throw new Error(`There is no answer to "${question}".`);
    const value = await answer(detail);
    process.send?.({ id, value });
  });
  process.on('disconnect', async () => {
    await beforeExit?.();
    process.exit();
  });
}
