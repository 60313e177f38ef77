#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ceremony/estate/fold.h"
#include "ceremony/quorum/bound_credentials.h"
#include "ceremony/quorum/share_set.h"
#include "ceremony/record/posix_storage.h"
#include "ceremony/room/unattended_terminal.h"
#include "ceremony/run/rehearsal.h"
#include "ceremony/run/start.h"
#include "ceremony/steps/catalogue.h"
#include "tests/support/results.h"

// One process holds the root ceremony and then waits; another, which never held
// it, works out its secrets from the archive and looks for them in the memory of
// the first and in every file of the run.
namespace {

namespace fs = std::filesystem;
using namespace ceremony;
using support::Good;

const std::string kScript = std::string(SCRIPTS_FOLDER) + "/smki-root-oca.ceremony.json";

struct Secret {
  std::string name;
  std::string bytes;
};

base::Result<run::Ended> Rehearse(const std::string& archive) {
  KC_ASSIGN_OR_RETURN(const script::Inputs alone, script::ReadInputs(kScript, "", "", steps::Catalogue()));
  KC_RETURN_IF_ERROR(run::PrepareRehearsal(archive, alone.script, alone.policy, hsm::Module::Load));
  const run::RehearsalPaths paths(archive);
  KC_ASSIGN_OR_RETURN(script::Inputs inputs,
                      script::ReadInputs(kScript, paths.roster, paths.binding, steps::Catalogue()));
  room::UnattendedTerminal terminal(nullptr, room::Look{});
  KC_ASSIGN_OR_RETURN(const auto storage, record::PosixStorage::Open(archive));
  base::SystemClock clock;
  run::EnvelopePins pins(paths.envelopes, inputs.policy.pin);
  quorum::BoundCredentials credentials(*inputs.binding, terminal);
  run::World world{terminal, clock, *storage, pins, credentials, hsm::Module::Load, [] { return false; }};
  std::string folder;
  return run::Begin(world, archive, std::move(inputs), folder);
}

// Every PIN and every share of the token that the ceremony took into service.
std::vector<Secret> SecretsOf(const std::string& archive) {
  const run::RehearsalPaths paths(archive);
  const script::Inputs inputs = Good(script::ReadInputs(kScript, paths.roster, paths.binding, steps::Catalogue()));
  room::UnattendedTerminal terminal(nullptr, room::Look{});
  quorum::BoundCredentials credentials(*inputs.binding, terminal);
  const estate::Folded folded = Good(estate::FoldArchive(archive));
  const estate::ShareSet* set = folded.estate.FindShares("root-hsm");
  REQUIRE(set != nullptr);
  std::vector<Secret> secrets;
  for (const quorum::Pin pin : {quorum::Pin::kUser, quorum::Pin::kSecurityOfficer}) {
    quorum::PinAssembly assembly(*set, pin);
    for (const estate::ShareHolder& holder : set->holders) {
      const script::ShareFile file =
          Good(script::ParseShare(Good(script::LoadFile(archive + "/" + set->since.ceremony + "/artefacts/" +
                                                        quorum::ShareArtefact("root-hsm", set->set, holder.person)))));
      quorum::ShamirShare share;
      const auto open = [&](quorum::AgreementKey& opener) -> base::Result<void> {
        share = Good(quorum::OpenShare(file, pin, opener));
        return {};
      };
      CHECK(credentials.UseOpener(*inputs.roster->FindPerson(holder.person), open, {}).ok());
      secrets.push_back({holder.person + "'s share of the " + std::string(quorum::PinTitle(pin)),
                         std::string(base::AsText(share.y.view()))});
      if (!assembly.complete()) Good(assembly.Add(holder.person, std::move(share)));
    }
    secrets.push_back({std::string(quorum::PinTitle(pin)), std::string(base::AsText(Good(assembly.Combine()).view()))});
  }
  return secrets;
}

// Every writable page of a process, mapping after mapping.
std::vector<std::string> MemoryOf(pid_t process) {
  std::ifstream maps("/proc/" + std::to_string(process) + "/maps");
  const int memory = open(("/proc/" + std::to_string(process) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(memory >= 0);
  std::vector<std::string> mappings;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::string range, rights;
    words >> range >> rights;
    if (rights.substr(0, 2) != "rw") continue;
    const std::size_t dash = range.find('-');
    const std::uint64_t from = std::stoull(range.substr(0, dash), nullptr, 16);
    const std::uint64_t to = std::stoull(range.substr(dash + 1), nullptr, 16);
    std::string content(to - from, '\0');
    const ssize_t got = pread(memory, content.data(), content.size(), static_cast<off_t>(from));
    content.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    mappings.push_back(std::move(content));
  }
  close(memory);
  return mappings;
}

bool Holds(const std::vector<std::string>& contents, std::string_view secret) {
  for (const std::string& content : contents) {
    if (content.find(secret) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("after a ceremony no PIN and no share is left in the memory of the process or in a file") {
  const std::string folder = []() {
    std::string pattern = (fs::temp_directory_path() / "keyceremony-secrets-XXXXXX").string();
    return std::string(mkdtemp(pattern.data()));
  }();
  const std::string archive = folder + "/archive";
  int told[2], asked[2];
  REQUIRE(pipe(told) == 0);
  REQUIRE(pipe(asked) == 0);
  const pid_t child = fork();
  if (child == 0) {
    close(asked[1]);
    char word = Rehearse(archive).ok() ? 'y' : 'n';
    // What must be found, or the search finds nothing.
    std::string canary = "canary of process " + std::to_string(getpid());
    static_cast<void>(!write(told[1], &word, 1));
    static_cast<void>(!read(asked[0], &word, 1));
    _exit(canary.empty() ? 1 : 0);
  }
  close(told[1]);
  char word = 'n';
  REQUIRE(read(told[0], &word, 1) == 1);
  REQUIRE(word == 'y');
  const std::vector<std::string> memory = MemoryOf(child);
  const std::vector<Secret> secrets = SecretsOf(archive);
  close(asked[1]);
  waitpid(child, nullptr, 0);

  REQUIRE(secrets.size() == 12);
  CHECK(Holds(memory, "canary of process " + std::to_string(child)));
  for (const Secret& secret : secrets) CHECK_MESSAGE(!Holds(memory, secret.bytes), secret.name << " is in memory");
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(archive)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    for (const Secret& secret : secrets)
      CHECK_MESSAGE(content.str().find(secret.bytes) == std::string::npos, secret.name << " is in " << entry.path());
  }
  CHECK(files > 40);
  close(told[0]);
  close(asked[0]);
  fs::remove_all(folder);
}
