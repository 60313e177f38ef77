// An appointee shows that both keys are theirs.
#include "ceremony/run/key_proof.h"

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "ceremony/quorum/bound_credentials.h"
#include "ceremony/quorum/software_agreement_key.h"
#include "hsm/base/digest.h"
#include "hsm/keygen.h"
#include "hsm/login.h"
#include "tests/unit/run/room.h"

using namespace ceremony;
using nlohmann::json;
using run::Room;
using support::Bad;
using support::Good;

namespace {

script::LoadedFile Load(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  script::LoadedFile file;
  file.name = path;
  file.bytes = text.str();
  file.sha256 = base::Sha256Hex(file.bytes);
  return file;
}

// The machine of alice, whose keys never come to the room: it answers what a stick brings.
struct MachineElsewhere {
  std::string Path(const std::string& name) const { return stick / name; }
  void Sign() const {
    const std::string text = Load(Path("small-possession.approval.txt")).bytes;
    const auto signer = record::TestSigner("smki.example/alice", record::kTestKeys[0]);
    std::ofstream(Path("signed")) << Good(record::SignText(text, *signer)).Text();
  }
  void Open() const {
    const auto request = Good(quorum::ParseShareRequest(Load(Path("small-key-possession-alice.share-request.json"))));
    Good(quorum::CheckShareRequest(request));
    const auto key = Good(quorum::SoftwareAgreementKey::FromPkcs8(
        base::SecretBytes::CopyOf(Good(base::Base64Decode(record::kTestKeys[0])))));
    std::ofstream(Path("answer")) << Good(quorum::WriteShareAnswer(Good(quorum::AnswerShareRequest(request, *key))));
  }
  record::TemporaryFolder stick;
};

// A production ceremony whose people have these credentials; alice is the one who is appointed.
void Prove(Room& room, quorum::Credentials& credentials) {
  run::World world{room.terminal,
                   room.clock,
                   *room.storage,
                   room.pins,
                   credentials,
                   room.world.load_module,
                   room.world.stop_requested};
  world.describe_program = room.world.describe_program;
  run::Ceremony ceremony(world, room.inputs, estate::Estate{}, "0001-small");
  Good(run::OpenRecord(ceremony, {}));
  Good(run::ProveKeys(ceremony, *ceremony.roster().FindPerson("alice"), "appoint"));
}

void Bind(Room& room, const script::CredentialBinding& bound) {
  room.terminal.SetHasPeople(true);
  room.inputs.binding->estate = "smki.example";
  room.inputs.binding->environment = script::Environment::kProduction;
  room.inputs.binding->credentials["alice"] = bound;
}

run::Strings Told(const Room& room) {
  run::Strings told;
  for (const json& entry : room.Entries("observe")) told.push_back(entry.at("what"));
  return told;
}

std::string MakeKey(hsm::Session& session, const char* label, base::Bytes id, hsm::KeyUsage usage) {
  hsm::KeyGeneration made = hsm::GenerateKeyPair(
      session, {.algorithm = base::KeyAlgorithm::kEcP256, .label = label, .id = std::move(id), .usage = usage});
  return base::Base64Encode(Good(std::move(made.key)).pair.public_key.spki());
}

}  // namespace

TEST_CASE("who keeps both keys on a machine of their own shows there that they are theirs") {
  const MachineElsewhere machine;
  Room room(run::Answers{{"approve.offline/folder/alice", machine.stick.path()},
                         {"approve.offline/signature/alice", machine.Path("signed")},
                         {"share.elsewhere/folder/alice", machine.stick.path()},
                         {"share.elsewhere/answer/alice", machine.Path("answer")}});
  room.terminal.BeforeEach([&](std::size_t, const std::string& id) {
    if (id == "approve.offline/signature/alice") machine.Sign();
    if (id == "share.elsewhere/answer/alice") machine.Open();
  });
  Bind(room, script::CredentialBinding());  // offline
  quorum::BoundCredentials credentials(*room.inputs.binding, room.terminal);
  Prove(room, credentials);
  CHECK(room.terminal.AllAsked());
  CHECK(Told(room) == run::Strings{"share-asked-elsewhere", "share-handed-over", "key-possession"});
  const json shown = room.Entries("observe").back();
  CHECK(shown.at("shown") == true);
  CHECK(shown.at("person") == "alice");
}

TEST_CASE("who keeps both keys on a card shows with its PIN that they are theirs") {
  constexpr const char* kPin = "7654321";
  Room room(run::Answers{{"card.pin/alice", kPin}, {"card.pin/alice", kPin}});
  const auto device = std::make_shared<support::FakeDevice>();
  device->AddToken("0007", "card", "87654321", kPin);
  const auto load = [&](const hsm::ModuleOptions& options) {
    return hsm::Module::Wrap(std::make_unique<support::FakeCryptoki>(device), options, nullptr);
  };
  script::CredentialBinding card;
  card.kind = script::CredentialKind::kCard;
  card.module = "/card.so";
  card.label = "card";
  {
    const auto token = Good(hsm::Token::Locate(Good(load({card.module, {}, {}})), card.label, ""));
    const auto pin = base::SecretBytes::CopyOf(base::AsBytes(std::string_view(kPin)));
    hsm::LoginScope login = Good(hsm::LoginScope::Open(token, hsm::User::kUser, pin));
    script::Person& alice = room.inputs.roster->people.front();
    alice.sign_key = MakeKey(login.session(), "sign", {1}, hsm::kSigningUsage);
    alice.open_key = MakeKey(login.session(), "open", {2}, hsm::kDerivingUsage);
  }
  Bind(room, card);
  quorum::BoundCredentials credentials(*room.inputs.binding, room.terminal, load);
  Prove(room, credentials);
  CHECK(room.terminal.AllAsked());
  CHECK(Told(room) == run::Strings{"key-possession"});
  CHECK(room.Entries("observe").back().at("shown") == true);
}

TEST_CASE("a share is not opened elsewhere when no record would tell of it") {
  support::ScriptedTerminal terminal;
  terminal.SetHasPeople(true);
  script::Binding binding;
  binding.credentials["alice"].kind = script::CredentialKind::kOffline;
  quorum::BoundCredentials credentials(binding, terminal);
  const Room room;
  const base::Error refused = Bad(credentials.OpenShares(room.inputs.roster->people.front(), {}));
  CHECK(refused.code == base::ErrorCode::kInternal);
  CHECK(terminal.prompts() == 0);
}
