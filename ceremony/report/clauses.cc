#include "ceremony/report/clauses.h"

#include <algorithm>

namespace ceremony::report {
namespace {

constexpr std::string_view kEtsi = "ETSI EN 319 411-1";
constexpr std::string_view kBr = "CA/B Forum BR";
constexpr std::string_view kWebTrust = "WebTrust for CAs";
constexpr std::string_view kNist = "NIST SP 800-57 Part 1";

constexpr std::array<Clause, 30> kClauses{{
    {kEtsi,
     "6.4.3",
     "roles that matter are named, and no one person does alone what needs several",
     {},
     {"role:*", "type:cosign"}},
    {kEtsi,
     "6.4.5",
     "what happened is logged, with its time, so that it can be shown later",
     {},
     {"type:step", "observe:clock"}},
    {kEtsi,
     "6.5.1",
     "a CA key is made by a documented procedure, in a closed room, under dual control",
     {"effect:key-created"},
     {"do:key.generate", "observe:confirmation", "type:cosign"}},
    {kEtsi,
     "6.5.1",
     "the report of a root's key generation is witnessed by somebody independent of operations",
     {"effect:key-created"},
     {"role:auditor", "role:witness"}},
    {kEtsi,
     "6.5.2",
     "private keys are held, copied and destroyed in devices, under at least dual control",
     {"effect:key-*", "effect:copy-*"},
     {"do:token.verify", "do:token.commission", "do:key.clone", "do:key.destroy", "type:cosign"}},
    {kEtsi,
     "6.5.4",
     "data that opens a device is made and handed over safely",
     {"effect:shares-issued"},
     {"observe:share-set-sealed", "observe:share-confirmed"}},
    {kEtsi,
     "6.6.1",
     "certificates have the profile that the policy states",
     {"effect:certificate-issued"},
     {"observe:profile-comparison"}},
    {kEtsi, "6.6.2", "CRLs have the profile that the policy states", {"effect:crl-issued"}, {"do:crl.issue"}},
    {kBr,
     "5.2.2",
     "a CA key is backed up, stored and recovered by trusted people, under at least dual control",
     {"effect:key-created", "effect:key-cloned"},
     {"type:cosign"}},
    {kBr,
     "5.4.1",
     "key generation, backup, destruction, requests, approvals, rejections and entries to the room are recorded",
     {},
     {"type:attend", "type:request", "type:cosign", "type:refusal", "do:key.*"}},
    {kBr,
     "5.6",
     "a key change is planned, so that certificates go on without a gap",
     {"effect:key-deactivated"},
     {"do:key.deactivate"}},
    {kBr, "6.1.1.1", "a CA key pair is made by a script", {"effect:key-created"}, {"do:key.generate"}},
    {kBr,
     "6.1.1.1",
     "its generation is witnessed by a qualified auditor, or filmed",
     {"effect:key-created"},
     {"role:auditor"}},
    {kBr,
     "6.1.1.1",
     "the site, the people and the devices are as the script wants them",
     {"effect:key-created"},
     {"type:attend", "do:token.verify", "do:token.commission", "observe:facts"}},
    {kBr,
     "6.2.4",
     "a private key is backed up only under multi-person control",
     {"effect:key-cloned"},
     {"do:key.clone", "type:cosign"}},
    {kBr,
     "6.2.6",
     "a private key that leaves a device is wrapped, and never in the clear",
     {"effect:key-cloned"},
     {"do:key.clone", "do:key.prove"}},
    {kBr,
     "6.2.7",
     "a CA key is held in a device of the strength that the policy states",
     {"effect:key-created"},
     {"observe:token", "open:tokens"}},
    {kBr,
     "7.1",
     "certificates have the profile of the section",
     {"effect:certificate-issued"},
     {"observe:profile-comparison", "artefact:certificate"}},
    {kWebTrust,
     "3.10",
     "the log is protected, and events can be shown to be complete",
     {},
     {"type:request", "type:close"}},
    {kWebTrust,
     "4.1",
     "CA keys are generated to the business practices that are disclosed, by a witnessed script",
     {"effect:key-created"},
     {"do:key.generate", "observe:confirmation", "role:witness", "role:auditor"}},
    {kWebTrust,
     "4.2",
     "CA keys are stored, backed up and recovered by trusted people under multi-person control",
     {"effect:key-created", "effect:key-cloned"},
     {"do:key.clone", "do:key.seal", "do:token.verify", "type:cosign"}},
    {kWebTrust,
     "4.6",
     "CA keys are destroyed at the end of their lives, all copies, and it can be shown",
     {"effect:copy-destroyed", "effect:key-destroyed"},
     {"do:key.destroy", "artefact:certificate-of-destruction"}},
    {kWebTrust,
     "4.7",
     "a compromised key is dealt with",
     {"effect:key-compromised"},
     {"effect:key-compromised", "effect:certificate-revoked", "do:comms.notify"}},
    {kWebTrust,
     "4.8",
     "devices are received, sealed, moved and retired under control",
     {"effect:token-*", "effect:seals-changed"},
     {"do:token.*", "observe:facts", "effect:seals-changed"}},
    {kWebTrust,
     "4.10",
     "keys and devices travel with a chain of custody",
     {"effect:token-moved"},
     {"do:token.custody", "effect:token-moved"}},
    {kNist,
     "8.1.5",
     "keying material is generated in an approved module, by an approved method",
     {"effect:key-created"},
     {"do:key.generate", "observe:token"}},
    {kNist,
     "8.2.2.1",
     "a key that must survive is backed up, as protected as the original",
     {"effect:key-cloned"},
     {"do:key.clone", "do:key.prove"}},
    {kNist,
     "8.3.4",
     "every copy of a key is destroyed when it is no longer needed",
     {"effect:copy-destroyed", "effect:key-destroyed"},
     {"do:key.destroy"}},
    {kNist,
     "9.1",
     "who had access to keys, and for what, can be told",
     {},
     {"type:attend", "type:cosign", "observe:shares-contributed"}},
    {kNist,
     "9.2",
     "protection of keys is audited, and people's actions can be reviewed",
     {},
     {"role:auditor", "role:witness"}},
}};

}  // namespace

std::span<const Clause> Clauses() { return kClauses; }

bool Matches(std::string_view wanted, std::string_view source) {
  if (wanted.empty()) return false;
  if (wanted.ends_with('*')) return source.starts_with(wanted.substr(0, wanted.size() - 1));
  return wanted == source;
}

std::vector<ClauseName> ClausesIn(std::string_view words) {
  struct Spelling {
    std::string_view written, standard;
  };
  constexpr std::array<Spelling, 4> kSpellings{
      {{"EN 319 411-1 ", kEtsi}, {"BR ", kBr}, {"WebTrust ", kWebTrust}, {"SP 800-57 Part 1 ", kNist}}};
  std::vector<ClauseName> found;
  while (!words.empty()) {
    const std::string_view part = words.substr(0, words.find(';'));
    words.remove_prefix(std::min(words.size(), part.size() + 1));
    for (const auto& [written, standard] : kSpellings) {
      const std::size_t at = part.find(written);
      if (at == std::string_view::npos) continue;
      // Numbers follow, separated by commas, up to anything else.
      std::string_view rest = part.substr(at + written.size());
      while (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') {
        const std::string_view number = rest.substr(0, rest.find_first_not_of("0123456789."));
        found.push_back({std::string(standard), std::string(number)});
        rest.remove_prefix(number.size());
        if (rest.starts_with(", ")) rest.remove_prefix(2);
      }
    }
  }
  return found;
}

}  // namespace ceremony::report
