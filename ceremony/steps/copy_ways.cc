#include "ceremony/steps/copy_ways.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/steps/people_rules.h"
#include "hsm/base/public_key.h"
#include "hsm/sealed_transport.h"

namespace ceremony::steps {
namespace {

struct Weakness {
  hsm::Transport transport;
  const char* rule;
  const char* message;
  const char* hint;
};
constexpr Weakness kWeaknesses[] = {
    {hsm::Transport::kOaepSha1, "KEY-WAY-02", "the transport key travels by RSA-OAEP with SHA-1",
     "OAEP does not rest on SHA-1's collisions; a token with SHA-256 is better"},
    {hsm::Transport::kEcdh, "KEY-WAY-03", "the transport key is agreed by ECDH without a key derivation function",
     "the key is the x coordinate of the shared point; RSA-OAEP with SHA-256 is better"},
};

script::Field FieldOf(std::initializer_list<hsm::Transport> transports) {
  std::vector<script::ChoiceName> choices = {{std::string(kBestTransport), "the best that both tokens have"}};
  for (const hsm::Transport transport : transports) {
    const bool ecdh = transport == hsm::Transport::kEcdh;
    choices.push_back({std::string(hsm::TransportName(transport)),
                       ecdh ? "ECDH on P-256, no key derivation function" : "RSA-OAEP under a key of the target"});
  }
  return script::Field::Choice("transport", std::move(choices), "how the AES key that wraps the copy travels")
      .Default(std::string(kBestTransport).c_str());
}

// What is to be said about a transport; one that the policy calls a breach is a refusal.
base::Result<std::vector<Finding>> Grade(const script::Policy& policy, hsm::Transport transport,
                                         const std::string& from_to) {
  std::vector<Finding> findings;
  for (const Weakness& weakness : kWeaknesses) {
    if (weakness.transport != transport) continue;
    Finding finding{GradeOf(policy, weakness.rule, Severity::kGoodPractice), weakness.rule, "", "",
                    fmt::format("{}: {}", from_to, weakness.message),        weakness.hint};
    if (finding.severity == Severity::kBreach) return base::Refusal(finding.rule, finding.message, finding.hint);
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace

script::Field TransportField() {
  return FieldOf({hsm::Transport::kOaepSha256, hsm::Transport::kOaepSha1, hsm::Transport::kEcdh});
}
script::Field SealedTransportField() { return FieldOf({hsm::Transport::kOaepSha256, hsm::Transport::kOaepSha1}); }

base::Result<ChosenWay> ChooseWay(const script::Policy& policy, hsm::Token& source, hsm::Token& target,
                                  std::string_view transport) {
  KC_ASSIGN_OR_RETURN(const std::vector<hsm::CopyWay> ways, hsm::CopyWays(source, target));
  const auto chosen = std::find_if(ways.begin(), ways.end(), [&](const hsm::CopyWay& way) {
    return transport == kBestTransport || hsm::TransportName(way.transport) == transport;
  });
  if (chosen == ways.end()) {
    std::string names;
    for (const hsm::CopyWay& way : ways)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", hsm::TransportName(way.transport));
    return base::Refusal(
        "KEY-WAY-01",
        fmt::format("no key can go from {} to {}{}; they have {}", source.Name(), target.Name(),
                    transport == kBestTransport ? "" : fmt::format(" by {}", transport),
                    names.empty() ? "no way in common" : names),
        names.empty() ? "use the vendor's own way: \"method\": \"vendor\"" : "choose one of these in \"transport\"");
  }
  KC_ASSIGN_OR_RETURN(std::vector<Finding> findings,
                      Grade(policy, chosen->transport, fmt::format("{} to {}", source.Name(), target.Name())));
  return ChosenWay{*chosen, std::move(findings)};
}

base::Result<void> CheckLeaves(const hsm::Token& source, std::string_view algorithm) {
  const base::KeyAlgorithmFacts* known = base::FindKeyAlgorithm(algorithm);
  if (known == nullptr || known->algorithm != base::KeyAlgorithm::kEd25519 || !source.quirks().wraps_no_edwards)
    return {};
  return base::Refusal("KEY-WAY-04",
                       fmt::format("{} does not wrap {} keys: none can leave it", source.Name(), known->title),
                       "make the key where it is to be used, or use the vendor's own way: \"method\": \"vendor\"");
}

base::Result<void> CheckStays(const hsm::Token& target, bool extractable) {
  if (extractable || !target.quirks().seal_is_not_kept) return {};
  return base::Refusal("KEY-WAY-05",
                       fmt::format("the copy is to stay on {}, whose module lets every key out, whatever "
                                   "CKA_EXTRACTABLE says",
                                   target.Name()),
                       "copy no key of a ceremony to it, or say in the script that this copy may be cloned on: "
                       "\"extractable\": true");
}

base::Result<ChosenTransport> ChooseSealedTransport(const script::Policy& policy, hsm::Token& source,
                                                    const std::vector<std::string>& taken_in,
                                                    std::string_view transport) {
  KC_ASSIGN_OR_RETURN(const std::vector<hsm::Transport> ways, hsm::SendingWays(source));
  const auto chosen = std::ranges::find_if(ways, [&](hsm::Transport way) {
    const std::string_view name = hsm::TransportName(way);
    return (transport == kBestTransport || transport == name) && std::ranges::find(taken_in, name) != taken_in.end();
  });
  if (chosen == ways.end()) {
    return base::Refusal(
        "KEY-WAY-01",
        fmt::format("no key can leave {}{} for a token that takes in {}", source.Name(),
                    transport == kBestTransport ? "" : fmt::format(" by {}", transport), fmt::join(taken_in, ", ")),
        "name one of these in \"transport\", or use the vendor's own way");
  }
  KC_ASSIGN_OR_RETURN(std::vector<Finding> findings, Grade(policy, *chosen, fmt::format("out of {}", source.Name())));
  return ChosenTransport{*chosen, std::move(findings)};
}

}  // namespace ceremony::steps
