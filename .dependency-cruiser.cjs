/** Rooms and who may look into which: docs/architecture.md tells why. Dependencies point inwards. */
const room = (name) => `^src/${name}/`;
const only = (name, ...allowed) => ({
  name: `${name}-imports-only-its-own`,
  severity: 'error',
  comment: `src/${name} may import only: ${allowed.join(', ') || 'nothing of ours'}`,
  from: { path: room(name) },
  to: { path: '^src/', pathNot: [room(name), ...allowed.map((a) => (a.includes('.') ? `^src/${a}$` : room(a)))] },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'product-does-not-import-its-tests-or-lab',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|lab|bench|scripts)/' },
    },
    {
      name: 'no-dev-dependency-in-the-product',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ari/generator/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '@types/' },
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      comment: 'The core knows no clock, socket or library: cti may use zod, nothing else.',
      from: { path: '^src/(cti|calls|agents|queues)/' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: 'node_modules/zod' },
    },
    only('cti'),
    only('calls', 'cti'),
    only('agents', 'cti'),
    only('queues', 'cti', 'agents'),
    only('ari'),
    only('ami'),
    only('switch', 'ari', 'ami', 'cti', 'calls', 'ports.ts', 'config.ts'),
    only('store', 'cti', 'calls', 'agents', 'queues', 'ports.ts'),
    only('engine', 'cti', 'calls', 'agents', 'queues', 'ports.ts'),
    only('http'),
    only('rpc', 'cti', 'http', 'ports.ts', 'config.ts'),
    only('dialer', 'cti', 'http', 'ports.ts', 'config.ts'),
    only('contacts', 'cti', 'http', 'ports.ts', 'config.ts'),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|lab/\\.run)' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
