import { defineConfig } from '@hey-api/openapi-ts';

// Made anew by every build and every check, and never committed: so it can't differ from the document, and what
// no longer fits it fails `npm run check`.
export default defineConfig({
  input: '../docs/openapi.json',
  output: 'src/generated',
  plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
});
