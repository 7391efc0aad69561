import { tornTailScenario } from './torn-tail.js';

// in two files, which run at the same time and take about as long
tornTailScenario('cut');
tornTailScenario('zeros', 'even');
tornTailScenario('garbage');
