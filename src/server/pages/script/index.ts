import { catalogueScript } from './catalogue.ts'
import { connectScript } from './connect.ts'
import { domScript } from './dom.ts'
import { hostsScript } from './hosts.ts'
import { overviewScript } from './overview.ts'
import { schemaReaderScript } from './schema-reader.ts'
import { schemaViewScript } from './schema-view.ts'
import { searchScript } from './search.ts'
import { startScript } from './start.ts'

/**
 * The script behind `/docs/app.js`. Text, because it runs in a browser and the package is built without a bundler; by
 * topic, in files that hold nothing else. It makes elements and sets text: no text of the catalogue is ever read as
 * markup (lesson FL-104). ASCII only.
 */
export const docsScript = [
  "(() => {\n'use strict'\n",
  domScript,
  schemaReaderScript,
  schemaViewScript,
  hostsScript,
  connectScript,
  catalogueScript,
  searchScript,
  overviewScript,
  startScript,
  '})()\n',
].join('')
