// Keys that travel between machines that never meet: transport keys, and files that are copies.
#include <fmt/format.h>

#include <algorithm>

#include "ceremony/estate/estate.h"
#include "ceremony/estate/lookup.h"

namespace ceremony::estate {

std::string WrappedFor(std::string_view transport_key) { return fmt::format("file for {}", transport_key); }

base::Result<void> Estate::Take(const TransportKeyCreated& e, const Provenance& provenance) {
  KC_RETURN_IF_ERROR(IsNewKey(e.key, e.spki_sha256));
  KC_RETURN_IF_ERROR(MayUse(e.carries, fmt::format("transport key {}", e.key)));
  const Key& carried = *FindKey(e.carries);
  KC_ASSIGN_OR_RETURN(Token * token, UsableToken(e.token, fmt::format("transport key {} is to be made on", e.key)));
  if (Differ(carried.domain, token->domain)) {
    return base::Refusal("EST-COPY-05",
                         fmt::format("key {} belongs to the domain {}, token {} to {}", e.carries, carried.domain,
                                     e.token, token->domain),
                         "each PKI has tokens of its own: bring the key to a token of its domain");
  }
  PutInService(*token, provenance);
  Key key{e.key,
          e.algorithm,
          std::string(kUnwraps),
          e.spki_sha256,
          "active",
          false,
          {Copy{e.token, e.serial, e.object_id, "original", provenance}},
          provenance};
  key.domain = token->domain;
  key.carries = e.carries;
  key.transports = e.transports;
  AddKey(std::move(key));
  return {};
}

base::Result<void> Estate::Take(const KeyExported& e, const Provenance& provenance) {
  KC_ASSIGN_OR_RETURN(Key * key, KeyNamed(e.key, "an export"));
  const Key* transport = FindKey(e.transport_key);
  if (transport == nullptr || !transport->is_transport_key() || transport->state != "active") {
    return base::Refusal(
        "EST-TRANSPORT-01",
        fmt::format("key {} is to leave under {}, which is no transport key in use", e.key, e.transport_key),
        "have the ceremony at the other site make one with key.transport, and give its record");
  }
  if (transport->carries != e.key) {
    return base::Refusal("EST-TRANSPORT-02",
                         fmt::format("key {} is to leave under transport key {}, which was made for key {}", e.key,
                                     e.transport_key, transport->carries),
                         "each transport key is for one key: people at the other site approved that one");
  }
  if (!e.transport.empty() && std::ranges::find(transport->transports, e.transport) == transport->transports.end()) {
    return base::Refusal("EST-TRANSPORT-03",
                         fmt::format("key {} is to leave by {}, which the token of transport key {} does not take in",
                                     e.key, e.transport, e.transport_key),
                         "choose one that it does, or \"best\"");
  }
  for (const Copy& copy : key->copies) {
    if (copy.transport_key != e.transport_key) continue;
    return base::Refusal(
        "EST-TRANSPORT-04",
        fmt::format("key {} left under transport key {} already, in {}", e.key, e.transport_key, Where(copy.since)),
        "a second file would be a second copy: use the first, or make another transport key");
  }
  for (const Copy* target : transport->CopiesInPlace()) {
    if (const Copy* there = key->FindCopy(target->token)) {
      return base::Refusal("EST-TRANSPORT-05",
                           fmt::format("key {} is to go to token {}, which has a copy of it since {}", e.key,
                                       there->token, Where(there->since)),
                           "take the step out of the script");
    }
  }
  const Copy* source = key->FindCopy(e.source);
  if (source == nullptr) return key->NoCopyOn(e.source);
  if (!source->extractable) {
    return base::Refusal("EST-COPY-02",
                         fmt::format("the copy of key {} on token {} is sealed: nothing leaves it", e.key, e.source),
                         "export from a copy that may be cloned on");
  }
  Copy file{WrappedFor(e.transport_key), "", "", "wrapped", provenance};
  file.extractable = true;  // whoever can open it has the key
  file.way = e.transport;
  file.transport_key = e.transport_key;
  file.artefact = e.artefact;
  file.sha256 = e.sha256;
  key->copies.push_back(std::move(file));
  return {};
}

base::Result<void> Estate::MayVoidFiles(const Key& transport_key) const {
  for (const Key& key : keys_) {
    if (key.state == "destroyed" || !key.CopiesOnTokens().empty()) continue;
    const std::vector<const Copy*> files = key.CopiesInPlace();
    const auto is_voided = [&](const Copy* file) { return file->transport_key == transport_key.name; };
    if (files.empty() || !std::ranges::all_of(files, is_voided)) continue;
    return base::Refusal("EST-TRANSPORT-06",
                         fmt::format("transport key {} opens the last copy of key {}, which is {}", transport_key.name,
                                     key.name, key.state),
                         "take the key in first, with key.import, on the token of the transport key");
  }
  return {};
}

}  // namespace ceremony::estate
