// Loaded when Spanish is chosen.
export { FACTS } from './facts';
export { SERVER } from './server';
export { step } from './steps';
