import { tornTailScenario } from './torn-tail.js';

tornTailScenario('garbled');
tornTailScenario('zeros', 'odd');
