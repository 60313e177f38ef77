#include "ceremony/report/clauses.h"

#include <algorithm>

namespace ceremony::report {
namespace {

constexpr std::string_view kEtsi = "ETSI EN 319 411-1";
constexpr std::string_view kBr = "CA/B Forum BR";
constexpr std::string_view kWebTrust = "WebTrust for CAs";
constexpr std::string_view kNist = "NIST SP 800-57 Part 1";

constexpr std::array<Clause, 41> kClauses{{
    {kEtsi,
     "6.4.3",
     "a root certifies under at least dual control: no one person signs for a subordinate alone",
     {"effect:certificate-issued"},
     {"type:cosign"}},
    {kEtsi, "6.4.4", "people act in trusted roles that they were appointed to", {}, {"role:*", "do:custodian.*"}},
    {kEtsi,
     "6.4.5",
     "all events in the lives of CA keys and certificates are logged, each with its time",
     {},
     {"type:step", "observe:clock"}},
    {kEtsi,
     "6.4.8",
     "a compromised CA key is treated as a disaster, and those who rely on it are told",
     {"effect:key-compromised"},
     {"do:comms.notify", "effect:certificate-revoked"}},
    {kEtsi,
     "6.5.1",
     "a CA key is made in a secured environment by people in trusted roles, under at least dual control",
     {"effect:key-created"},
     {"do:key.generate", "type:cosign"}},
    {kEtsi,
     "6.5.1",
     "there is a documented procedure, and a report shows that it was followed",
     {"effect:key-created"},
     {"do:room.confirm", "do:document.lodge", "open:script"}},
    {kEtsi,
     "6.5.1",
     "the report has date, roles, keys with SHA-256 fingerprints, and the device with its settings",
     {"effect:key-created"},
     {"effect:key-created", "open:tokens", "observe:token", "type:attend"}},
    {kEtsi,
     "6.5.1",
     "the report is signed by whoever answers for the ceremony's security",
     {"effect:key-created"},
     {"role:security-officer"}},
    {kEtsi,
     "6.5.1",
     "a root's report is signed, too, by somebody independent of the operator's management",
     {"do:cert.self-sign"},
     {"role:auditor", "role:witness"}},
    {kEtsi,
     "6.5.1",
     "the next certificate of a CA is made before the last one ends, with time for all who rely on it",
     {"effect:key-deactivated"},
     {"do:key.deactivate", "effect:certificate-issued"}},
    {kEtsi,
     "6.5.2",
     "CA keys are backed up, stored and recovered by trusted roles, under at least dual control",
     {"effect:key-created", "effect:key-cloned"},
     {"type:cosign"}},
    {kEtsi,
     "6.5.2",
     "a copy of a CA key is under the same controls as the original, or greater ones",
     {"effect:key-cloned"},
     {"do:key.clone", "do:key.prove", "do:key.seal"}},
    {kEtsi,
     "6.5.2",
     "CA keys are made and used in a device assured to EAL 4, or to FIPS 140 level 3",
     {"effect:key-created"},
     {"validation:fips-140"}},
    {kEtsi,
     "6.5.2",
     "a device is not tampered with when shipped or stored, and works as it should",
     {"effect:token-*", "effect:seals-changed"},
     {"do:token.*", "observe:facts", "effect:seals-changed"}},
    {kEtsi,
     "6.5.2",
     "the keys on a device are destroyed when it is retired",
     {"effect:token-retired"},
     {"do:token.retire"}},
    {kEtsi,
     "6.5.3",
     "all copies of a CA key are destroyed at the end of its life",
     {"effect:copy-destroyed", "effect:key-destroyed"},
     {"do:key.destroy", "artefact:certificate-of-destruction"}},
    {kEtsi,
     "6.5.4",
     "installing or recovering a CA key in a device takes two trusted people at once",
     {"effect:key-created", "effect:key-cloned", "effect:shares-issued"},
     {"observe:shares-contributed", "observe:share-confirmed", "type:cosign"}},
    {kEtsi,
     "6.6.1",
     "certificates have the profile that the policy states",
     {"effect:certificate-issued"},
     {"observe:profile-comparison"}},
    {kEtsi, "6.6.2", "CRLs are as X.509 or RFC 5280 define them", {"effect:crl-issued"}, {"do:crl.issue"}},
    {kBr,
     "5.2.2",
     "a CA key is backed up, stored and recovered only by trusted roles, under at least dual control",
     {"effect:key-created", "effect:key-cloned"},
     {"type:cosign"}},
    {kBr,
     "5.4.1",
     "key generation, backup, destruction, requests, approvals, rejections, device events, entries and exits are "
     "recorded",
     {},
     {"type:attend", "type:depart", "type:request", "type:cosign", "type:refusal", "do:key.*"}},
    {kBr,
     "6.1.1.1",
     "a CA key pair is made by a script that is prepared and followed",
     {"effect:key-created"},
     {"do:key.generate"}},
    {kBr,
     "6.1.1.1",
     "its generation is witnessed by a qualified auditor, or filmed",
     {"effect:key-created"},
     {"role:auditor"}},
    {kBr,
     "6.1.1.1",
     "it is made in a secured place, by trusted roles, under multiple person control and split knowledge",
     {"effect:key-created"},
     {"type:attend", "type:cosign", "observe:shares-contributed", "observe:facts"}},
    {kBr,
     "6.2",
     "a private key outside its device is encrypted, or guarded physically",
     {"effect:key-cloned"},
     {"do:key.clone", "do:key.prove"}},
    {kBr, "6.2.4", "a private key is backed up as 5.2.2 says", {"effect:key-cloned"}, {"do:key.clone", "type:cosign"}},
    {kBr,
     "6.2.7",
     "a CA key is held in a device validated to FIPS 140-2 or 140-3 level 3, or to Common Criteria EAL 4",
     {"effect:key-created"},
     {"validation:fips-140"}},
    {kBr,
     "7.1",
     "certificates have the profile of the section",
     {"effect:certificate-issued"},
     {"observe:profile-comparison", "artefact:certificate"}},
    {kBr, "7.2", "CRLs have the profile of the section", {"effect:crl-issued"}, {"do:crl.issue"}},
    {kWebTrust,
     "3.10",
     "significant events are logged, and the log keeps its integrity",
     {},
     {"type:request", "type:close"}},
    {kWebTrust,
     "4.1",
     "CA keys are generated as the disclosed practices say, by a script that is witnessed",
     {"effect:key-created"},
     {"do:key.generate", "observe:confirmation", "role:witness", "role:auditor"}},
    {kWebTrust,
     "4.2",
     "CA keys stay confidential and whole: stored, backed up and recovered under multi-person control",
     {"effect:key-created", "effect:key-cloned"},
     {"do:key.clone", "do:key.seal", "do:token.verify", "type:cosign"}},
    {kWebTrust,
     "4.6",
     "copies of CA keys are destroyed at the end of their lives, and it can be shown",
     {"effect:copy-destroyed", "effect:key-destroyed"},
     {"do:key.destroy", "artefact:certificate-of-destruction"}},
    {kWebTrust,
     "4.7",
     "operation goes on if a CA key is compromised, and its certificates are revoked and replaced",
     {"effect:key-compromised"},
     {"effect:key-compromised", "effect:certificate-revoked", "do:comms.notify"}},
    {kWebTrust,
     "4.8",
     "access to devices is limited to those who are authorised, and devices work as they should",
     {"effect:token-*", "effect:seals-changed"},
     {"do:token.*", "observe:facts", "effect:seals-changed"}},
    {kWebTrust,
     "4.10",
     "CA keys that are transported stay confidential and whole on the way",
     {"effect:token-moved"},
     {"do:token.custody", "effect:token-moved"}},
    {kNist,
     "8.1.5.1",
     "key pairs are generated by approved methods, within a validated module",
     {"effect:key-created"},
     {"do:key.generate", "validation:fips-140"}},
    {kNist,
     "8.2.2.1",
     "a key that must be recoverable is backed up on an independent, secure medium",
     {"effect:key-cloned"},
     {"do:key.clone", "do:key.prove"}},
    {kNist,
     "8.3.4",
     "all copies of a private key are destroyed when it is no longer needed",
     {"effect:copy-destroyed", "effect:key-destroyed"},
     {"do:key.destroy"}},
    {kNist,
     "9.1",
     "who had access to keys, and when, can be told",
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
