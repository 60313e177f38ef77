// People with credentials, and a terminal that plays them.
#ifndef TESTS_UNIT_QUORUM_PEOPLE_H_
#define TESTS_UNIT_QUORUM_PEOPLE_H_

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "ceremony/quorum/bound_credentials.h"
#include "ceremony/quorum/key_file.h"
#include "ceremony/quorum/software_agreement_key.h"
#include "ceremony/record/checkpoint.h"
#include "hsm/base/encoding.h"
#include "hsm/base/file.h"
#include "tests/support/results.h"
#include "tests/support/scripted_terminal.h"
#include "tests/unit/record/temporary_folder.h"
#include "tests/unit/record/test_keys.h"

namespace credential {

using ceremony::quorum::ApprovalRequest;
using ceremony::quorum::BoundCredentials;
using ceremony::record::TemporaryFolder;
using ceremony::script::CredentialBinding;
using support::Bad;
using support::Good;
using support::ScriptedTerminal;

inline constexpr const char* kOrigin = "smki.example/root-2026/00112233445566778899aabbccddeeff";
inline constexpr const char* kPassphrase = "correct horse battery";

inline base::SecretBytes Secret(const std::string& text) { return base::SecretBytes::CopyOf(base::AsBytes(text)); }

inline std::string CheckpointText(std::uint64_t size, std::uint8_t root, const char* origin = kOrigin) {
  ceremony::record::Checkpoint checkpoint;
  checkpoint.origin = origin;
  checkpoint.size = size;
  checkpoint.root.fill(root);
  return checkpoint.Text();
}

// The private key of a test person, DER PKCS#8.
inline base::SecretBytes TestPkcs8(std::size_t number) {
  return base::SecretBytes::CopyOf(*base::Base64Decode(ceremony::record::kTestKeys[number]));
}

inline std::unique_ptr<ceremony::record::SoftwareSigner> SignerOf(const std::string& person, std::size_t number) {
  return ceremony::record::TestSigner("smki.example/" + person, ceremony::record::kTestKeys[number]);
}

inline ceremony::script::Person Alice() {
  ceremony::script::Person alice;
  alice.id = "alice";
  alice.name = "Alice Archer";
  alice.roles = {ceremony::script::Role::kCustodian};
  alice.state = ceremony::script::PersonState::kActive;
  alice.sign_key = base::Base64Encode(SignerOf("alice", 0)->key().public_key().spki());
  alice.open_key = base::Base64Encode(SignerOf("alice", 1)->key().public_key().spki());
  return alice;
}

inline ceremony::script::Binding BindingOf(
    CredentialBinding alice, ceremony::script::Environment environment = ceremony::script::Environment::kSit) {
  ceremony::script::Binding binding;
  binding.estate = "smki.example";
  binding.environment = environment;
  binding.credentials["alice"] = std::move(alice);
  return binding;
}

inline int Shell(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// What a request told of refused attempts.
struct Refusals {
  std::vector<std::string> rules;
  ApprovalRequest Request(const std::string& text) {
    ApprovalRequest request{text, "the first step", {}, {}};
    request.refused = [this](const base::Error& why) {
      rules.push_back(why.rule);
      return base::Result<void>();
    };
    return request;
  }
};

}  // namespace credential

#endif  // TESTS_UNIT_QUORUM_PEOPLE_H_
