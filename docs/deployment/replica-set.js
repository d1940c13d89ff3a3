// Creates the replica set of docker-compose.yml, and its users. If you run it again, it only sets the password of the
// server's user to the one in the environment.
// Run it in mongosh, as `mongosh --nodb replica-set.js`, on the machine of the first member.

const SET = "metaia";
const MEMBERS = ["mongo-1:27017", "mongo-2:27017", "mongo-3:27017"];
const { MONGO_ROOT_PASSWORD, MONGO_PASSWORD } = process.env;

function until(what, ask) {
  for (let tries = 0; tries < 120; tries += 1) {
    try {
      if (ask()) return;
    } catch (error) {
      if (tries === 119) throw error;
    }
    sleep(500);
  }
  throw new Error(`waited a minute for ${what}`);
}

function loginWorks(database) {
  try {
    database.auth("root", MONGO_ROOT_PASSWORD);
    return true;
  } catch {
    return false;
  }
}

// MongoDB allows this from its own machine as long as it has no users.
function make(here) {
  const members = MEMBERS.map((host, _id) => ({ _id, host }));
  const initiate = { replSetInitiate: { _id: SET, members } };
  // MongoDB refuses it until all members answer.
  until("the members", () => here.hello().setName || here.runCommand(initiate).ok);
  until("a primary here", () => here.hello().isWritablePrimary);
  here.createUser({ user: "root", pwd: MONGO_ROOT_PASSWORD, roles: ["root"] });
}

const here = connect("mongodb://127.0.0.1:27017/admin?directConnection=true");
if (!loginWorks(here)) make(here);

const root = `root:${encodeURIComponent(MONGO_ROOT_PASSWORD)}`;
const set = connect(`mongodb://${root}@${MEMBERS.join(",")}/admin?replicaSet=${SET}`).getSiblingDB("metaia");
const server = { pwd: MONGO_PASSWORD, roles: [{ role: "readWrite", db: "metaia" }] };
if (set.getUser("metaia")) set.updateUser("metaia", server);
else set.createUser({ user: "metaia", ...server });
print("the replica set is there, and the server's user");
