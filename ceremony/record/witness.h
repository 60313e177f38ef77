// Witnesses of transparency logs (c2sp.org/tlog-cosignature, Ed25519, type 0x04) say
// when they saw a checkpoint. They do not belong to the ceremony, so they count for no
// quorum. They add a time and an observer that the operator does not control.
#ifndef CEREMONY_RECORD_WITNESS_H_
#define CEREMONY_RECORD_WITNESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/note.h"
#include "hsm/base/result.h"

namespace ceremony::record {

// WitnessKey is a vkey of signature type 0x04.
class WitnessKey final {
 public:
  // Parse compares the key id with name and key; kInvalidInput otherwise.
  static base::Result<WitnessKey> Parse(std::string_view vkey);
  // ParseAll reads one vkey a line; empty lines and lines that begin with # are
  // passed over. At least one, at most 100, none twice.
  static base::Result<std::vector<WitnessKey>> ParseAll(std::string_view text);

  const std::string& name() const { return name_; }
  bool Made(const SignatureLine& line) const { return line.name == name_ && line.key_id == key_id_; }
  // Verify checks a cosignature of a checkpoint's text and returns its time, in
  // seconds since 1970; kCorrupt when it does not verify.
  base::Result<std::uint64_t> Verify(std::string_view text, const SignatureLine& line) const;

 private:
  WitnessKey(std::string name, KeyId key_id, base::PublicKey key)
      : name_(std::move(name)), key_id_(key_id), key_(std::move(key)) {}
  std::string name_;
  KeyId key_id_;
  base::PublicKey key_;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_WITNESS_H_
