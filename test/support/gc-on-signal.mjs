// Loaded before the product (--import, with --expose-gc): at SIGUSR2 it collects garbage and logs what is still in use.
process.on('SIGUSR2', () => {
  for (let i = 0; i < 3; i += 1) globalThis.gc();
  console.log(JSON.stringify({ level: 30, msg: 'garbage collected', heapUsed: process.memoryUsage().heapUsed }));
});
