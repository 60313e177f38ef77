// The file in which a key travels to an absent token: JSON, read strictly. Only the
// holder of the transport key can open it. Its signature is the record that has it,
// which the quorum of that ceremony cosigned.
#ifndef CEREMONY_STEPS_WRAPPED_KEY_FILE_H_
#define CEREMONY_STEPS_WRAPPED_KEY_FILE_H_

#include <string>
#include <string_view>

#include "hsm/base/result.h"
#include "hsm/sealed_transport.h"

namespace ceremony::steps {

struct WrappedKeyFile {
  std::string key;  // name in the estate
  std::string spki_sha256;
  std::string transport_key;
  std::string transport_spki_sha256;
  std::string transport;  // hsm::TransportName
  hsm::SealedKey sealed;
};

// WrappedKeyArtefact is its name among the artefacts of the record.
std::string WrappedKeyArtefact(const std::string& key, const std::string& transport_key);

std::string WriteWrappedKey(const WrappedKeyFile& file);

// ParseWrappedKey: KEY-FILE-01 for anything that WriteWrappedKey would not write.
base::Result<WrappedKeyFile> ParseWrappedKey(std::string_view bytes);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_WRAPPED_KEY_FILE_H_
