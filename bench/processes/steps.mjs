// The same as steps.py, for the original.

// A task of the original is an object of this shape; so its package need not be found from here.
const work = {
  id: "work",
  build: (args) => ({
    kind: "agent",
    title: `Review src/module_${args.n}.py`,
    agent: { prompt: `Review src/module_${args.n}.py and list what is wrong in it.` },
  }),
};

export async function sequence(inputs, ctx) {
  for (let n = 0; n < inputs.n; n++) await ctx.task(work, { n });
  return { done: inputs.n };
}

export async function fan(inputs, ctx) {
  const items = Array.from({ length: inputs.n }, (_, n) => n);
  const got = await ctx.parallel.map(items, (n) => ctx.task(work, { n }));
  for (let n = 0; n < inputs.after; n++) await ctx.task(work, { n });
  return { done: got.length };
}
