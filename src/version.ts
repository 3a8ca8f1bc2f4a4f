import packageJson from '../package.json' with { type: 'json' };

/** The version of bitgate, as package.json has it. */
export const BITGATE_VERSION: string = packageJson.version;
