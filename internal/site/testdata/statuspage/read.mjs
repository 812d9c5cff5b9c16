// Reads the status page at the address given, and prints the answers as one JSON
// object. All that this client asks about maintenances goes to upcoming.json.
import {Statuspage} from 'statuspage.io';

const client = new Statuspage('ours');
client.setApiUrl(process.argv[2]);
const {api} = client;
const questions = {
  summary: () => api.getSummary(),
  status: () => api.getStatus(),
  components: () => api.getComponents(),
  incidents: () => api.incidents.getAll(),
  unresolved: () => api.incidents.getUnresolved(),
  upcoming: () => api.scheduledMaintenances.getUpcoming(),
};
const answers = {};
for (const [name, ask] of Object.entries(questions)) answers[name] = await ask();
console.log(JSON.stringify(answers));
