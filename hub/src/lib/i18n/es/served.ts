// Loaded when Spanish is chosen.
import { FACTS } from './facts';
import { SERVER as SENTENCES } from './server';

export { step } from './steps';
export const SERVER = { ...FACTS, ...SENTENCES };
