import { tornTailScenario } from './torn-tail.js';

// two files, which run at the same time
tornTailScenario('cut');
tornTailScenario('zeros');
