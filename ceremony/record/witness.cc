#include "ceremony/record/witness.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kMaxWitnesses = 100;

}  // namespace

Result<WitnessKey> WitnessKey::Parse(std::string_view vkey) {
  const auto bad = [&](std::string_view why) {
    return MakeError(ErrorCode::kInvalidInput, fmt::format("not a witness's key: {}", why))
        .WithHint("a witness's key is name+keyid+base64, of signature type 0x04 (Ed25519 cosignatures)");
  };
  const std::size_t first = vkey.find('+');
  const std::size_t second = first == std::string_view::npos ? first : vkey.find('+', first + 1);
  if (second == std::string_view::npos) return bad("it has not two +");
  const std::string name(vkey.substr(0, first));
  if (!IsKeyName(name)) return bad("its name is not a key name");
  const Result<base::Bytes> blob = base::Base64Decode(vkey.substr(second + 1));
  if (!blob.ok() || blob->empty()) return bad("the key is not strict base64");
  if (blob->front() != static_cast<std::uint8_t>(SignatureType::kTimestamped)) {
    return bad(fmt::format("it is of signature type 0x{:02x}", blob->front()));
  }
  Result<base::PublicKey> key = base::PublicKey::FromEd25519(base::ByteView(*blob).subspan(1));
  if (!key.ok()) return bad(key.error().message);
  base::Bytes named = base::ToBytes(base::AsBytes(name));
  named.push_back('\n');
  named.insert(named.end(), blob->begin(), blob->end());
  const base::Sha256Digest digest = base::Sha256Of(named);
  KeyId id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  if (base::HexEncode(id) != vkey.substr(first + 1, second - first - 1)) {
    return bad(fmt::format("its key id is not {}", base::HexEncode(id)));
  }
  return WitnessKey(name, id, std::move(key).value());
}

Result<std::vector<WitnessKey>> WitnessKey::ParseAll(std::string_view text) {
  std::vector<WitnessKey> keys;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty() || line.front() == '#') continue;
    KC_ASSIGN_OR_RETURN(WitnessKey key, Parse(line));
    const bool twice = std::any_of(keys.begin(), keys.end(), [&](const WitnessKey& other) {
      return other.name_ == key.name_ || other.key_ == key.key_;
    });
    if (twice || keys.size() == kMaxWitnesses) {
      return MakeError(
          ErrorCode::kInvalidInput,
          fmt::format("{} stands there twice, or there are more than {} witnesses", key.name_, kMaxWitnesses));
    }
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return MakeError(ErrorCode::kInvalidInput, "there is no witness's key in it");
  return keys;
}

Result<std::uint64_t> WitnessKey::Verify(std::string_view text, const SignatureLine& line) const {
  if (line.signature.size() != kTimeBytes + kSignatureBytes) {
    return MakeError(ErrorCode::kCorrupt, "a cosignature has 72 bytes");
  }
  std::uint64_t time = 0;
  for (std::size_t i = 0; i < kTimeBytes; ++i) time = time << 8 | line.signature[i];
  if (time >> 63 != 0) return MakeError(ErrorCode::kCorrupt, "the time of a cosignature is beyond 2^63-1");
  const std::string message = fmt::format("cosignature/v1\ntime {}\n{}", time, text);
  KC_RETURN_IF_ERROR(key_.Verify(base::SignatureScheme::kEd25519, base::AsBytes(message),
                                 base::ByteView(line.signature).subspan(kTimeBytes)));
  return time;
}

}  // namespace ceremony::record
