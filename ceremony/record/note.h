// C2SP signed notes (c2sp.org/signed-note): text, blank line, signature lines.
//
//   note = text LF { "— " name " " base64(keyid[4] || signature) LF }
//
// Types that we verify: 0x01 Ed25519 and 0x02 ECDSA P-256 over SHA-256, strict
// DER and low-S, because a signature that has two spellings is a note that has
// two digests. 0x04 (timestamped cosignature) and 0x06 (ML-DSA-44) are
// reserved: such a key is kUnsupported, such a line is of an unknown key.
#ifndef CEREMONY_RECORD_NOTE_H_
#define CEREMONY_RECORD_NOTE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"

namespace ceremony::record {

enum class SignatureType : std::uint8_t { kEd25519 = 0x01, kEcdsa = 0x02, kTimestamped = 0x04, kMlDsa44 = 0x06 };

using KeyId = std::array<std::uint8_t, 4>;

inline constexpr std::size_t kMaxNoteBytes = 16u << 20;
inline constexpr std::size_t kMaxNoteSignatures = 100;

// IsKeyName accepts what C2SP does: valid UTF-8, not empty, no `+`, no Unicode
// space, no control character.
bool IsKeyName(std::string_view name);

// VerifierKey is a named public key that may sign notes; its text form (vkey)
// is `name+keyid+base64(type || key)`, the key id in 8 lowercase hex digits,
// the key a DER SPKI for ECDSA and 32 bytes for Ed25519.
class VerifierKey final {
 public:
  // Make fails with kInvalidInput for a bad name and kUnsupported for a key
  // that is neither P-256 nor Ed25519.
  static base::Result<VerifierKey> Make(std::string name, base::PublicKey key);
  // Parse also compares the key id with the key (kInvalidInput).
  static base::Result<VerifierKey> Parse(std::string_view vkey);
  std::string Text() const;

  const std::string& name() const { return name_; }
  const KeyId& key_id() const { return key_id_; }
  SignatureType type() const { return type_; }
  const base::PublicKey& public_key() const { return key_; }
  // person is what follows the last `/` of the name: for custodians and
  // witnesses the person id.
  std::string_view person() const;

  // Verify checks a signature over `text`: kCorrupt when it is not strict DER
  // and low-S, or does not verify.
  base::Result<void> Verify(std::string_view text, base::ByteView signature) const;

  bool operator==(const VerifierKey& other) const { return name_ == other.name_ && key_ == other.key_; }

 private:
  VerifierKey(std::string name, SignatureType type, KeyId key_id, base::PublicKey key);
  std::string name_;
  SignatureType type_;
  KeyId key_id_;
  base::PublicKey key_;
};

struct SignatureLine {
  std::string name;
  KeyId key_id{};
  base::Bytes signature;

  // Parse takes one line without its LF; kCorrupt when it is not a signature line.
  static base::Result<SignatureLine> Parse(std::string_view line);
  std::string Text() const;  // without LF
  // person is what VerifierKey::person is for a key of this name.
  std::string_view person() const;
  bool IsBy(const VerifierKey& key) const { return name == key.name() && key_id == key.key_id(); }
};

struct Note {
  std::string text;  // with its final LF, without the blank line
  std::vector<SignatureLine> signatures;

  // Parse is strict: UTF-8, no control character but LF, one signature or
  // more, at most 100, nothing after them, no two by one name and key id, at
  // most 16 MiB; kCorrupt otherwise. It verifies nothing.
  static base::Result<Note> Parse(std::string_view note);
  std::string Serialise() const;
};

// IsNoteText accepts what Note can carry: UTF-8, LF at the end, no other
// control character, not empty.
bool IsNoteText(std::string_view text);

struct NoteVerdict {
  std::vector<std::size_t> signers;  // indices into the keys given, ascending, each signature verified
  std::size_t unknown = 0;           // lines by keys not given; ignored, as the standard asks
};

// VerifyNote checks every signature by a key that is given. One that does not
// verify fails the whole note (kCorrupt, naming the key). No signer at all is
// not an error: the caller decides who must have signed.
base::Result<NoteVerdict> VerifyNote(const Note& note, std::span<const VerifierKey> keys);

// NoteSigner signs note texts: the log key on its token, a custodian's card or
// file. Sign returns the signature as a note carries it (strict low-S DER, or
// 64 bytes for Ed25519); it may take as long as a person takes.
class NoteSigner {
 public:
  virtual ~NoteSigner() = default;
  virtual const VerifierKey& key() const = 0;
  virtual base::Result<base::Bytes> Sign(std::string_view text) = 0;
};

// SignText asks the signer, and verifies the answer with the signer's public
// key in software before anybody sees it (kCorrupt: the signer is broken).
base::Result<SignatureLine> SignText(std::string_view text, NoteSigner& signer);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_NOTE_H_
