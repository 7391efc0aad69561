/**
 * The import law: a folder of src/ imports only what is listed here; type imports count. A new arrow is a decision,
 * to be written down in ARCHITECTURE.md first.
 */
const MAY_IMPORT = {
  protocol: [],
  clients: ['protocol'],
  storage: ['protocol'],
  security: ['protocol', 'clients'],
  listeners: ['protocol', 'clients'],
  delivery: ['protocol', 'clients'],
  gateway: ['protocol', 'clients', 'storage', 'security', 'listeners', 'delivery'],
  sdk: ['protocol'],
  cli: ['protocol', 'sdk', 'storage', 'security', 'gateway', 'ROOT'],
};

const folders = Object.keys(MAY_IMPORT);

const lawOf = (folder) => {
  const allowed = [folder, ...MAY_IMPORT[folder]];
  const paths = allowed.map((name) => (name === 'ROOT' ? '^src/[^/]+\\.ts$' : `^src/${name}/`));
  return {
    name: `law-${folder}`,
    severity: 'error',
    comment: `src/${folder} may import: ${MAY_IMPORT[folder].join(', ') || 'nothing'}.`,
    from: { path: `^src/${folder}/`, pathNot: folder === 'sdk' ? '\\.node\\.ts$' : undefined },
    to: { path: '^src/', pathNot: paths },
  };
};

/** Third-party packages stand in one adapter file each. */
const ADAPTERS = {
  'ali-oss': '^src/storage/oss',
  'js-yaml': '^src/clients/presence-yaml\\.ts$',
  'cli-progress': '^src/cli/progress-bar\\.ts$',
  dotenv: '^src/cli/cli\\.ts$',
  commander: '^src/cli/',
  'class-validator': '(\\.options\\.ts$)',
};

module.exports = {
  forbidden: [
    ...folders.map(lawOf),
    {
      name: 'law-sdk-node',
      severity: 'error',
      comment: 'The Node half of the SDK shares the file transfers of src/storage, so that they are written once.',
      from: { path: '^src/sdk/.*\\.node\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(sdk|protocol|storage)/' },
    },
    {
      name: 'protocol-is-pure',
      severity: 'error',
      comment: 'src/protocol is read by Node, browsers and ports to other languages: no platform, no packages.',
      from: { path: '^src/protocol/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-peer', 'npm-optional', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'sdk-runs-in-browsers',
      severity: 'error',
      comment: 'Only *.node.ts files of the SDK may use Node or packages.',
      from: { path: '^src/sdk/', pathNot: '\\.node\\.ts$' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-peer', 'npm-optional'] },
    },
    {
      name: 'browser-entry-without-node-files',
      severity: 'error',
      comment: 'What the browser loads must not reach a *.node.ts file.',
      from: { path: '^src/sdk/', pathNot: '\\.node\\.ts$' },
      to: { path: '\\.node\\.ts$' },
    },
    {
      name: 'sdk-without-nest',
      severity: 'error',
      comment: 'The SDK is used without any framework.',
      from: { path: '^src/sdk/' },
      to: { path: 'node_modules/(@nestjs|rxjs|reflect-metadata|class-validator)', reachable: true },
    },
    ...Object.entries(ADAPTERS).map(([name, path]) => ({
      name: `adapter-${name}`,
      severity: 'error',
      comment: `${name} is used in its adapter only, so that it can be replaced.`,
      from: { path: '^src/', pathNot: path },
      to: { path: `node_modules/(@types/)?${name}/` },
    })),
    {
      name: 'nobody-imports-root',
      severity: 'error',
      comment: 'The root files know every folder; only cli and testing know them.',
      from: { path: '^src/[^/]+/', pathNot: '^src/(cli|testing)/' },
      to: { path: '^src/[^/]+\\.ts$' },
    },
    { name: 'no-circular', severity: 'error', comment: 'A circle cannot be read top to bottom.', from: {}, to: { circular: true } },
    { name: 'not-to-test', severity: 'error', comment: 'Shipped code does not import tests.', from: { path: '^src/' }, to: { path: '^test/' } },
    {
      name: 'not-to-dev-dep',
      severity: 'error',
      comment: 'What is shipped must be installed with it.',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'type-only'], pathNot: 'node_modules/@types/' },
    },
    { name: 'not-to-unresolvable', severity: 'error', comment: 'An import that does not resolve.', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
