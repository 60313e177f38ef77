#include "ceremony/quorum/handed_over.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "ceremony/record/checkpoint.h"
#include "ceremony/record/software_signer.h"
#include "hsm/base/encoding.h"

namespace ceremony::quorum {
namespace {

constexpr std::size_t kEd25519Signature = 64;
constexpr const char* kSignHint = "sign the text of this very request, and hand over that signature";

std::string_view Trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string Where(const record::Checkpoint& checkpoint) {
  return fmt::format("{} at size {}", checkpoint.origin, checkpoint.size);
}

// AsSignature gives the signature that bytes alone are, in the form of a note.
std::optional<base::Bytes> AsSignature(base::ByteView bytes, const record::VerifierKey& key) {
  if (key.type() == record::SignatureType::kEcdsa) {
    base::Result<base::Bytes> low = record::LowS(bytes);
    return low.ok() ? std::optional(std::move(low).value()) : std::nullopt;
  }
  if (bytes.size() != kEd25519Signature) return std::nullopt;
  return base::Bytes(bytes.begin(), bytes.end());
}

base::Result<void> CheckText(const std::string& given, const std::string& text) {
  if (given == text) return {};
  const auto wanted = record::Checkpoint::Parse(text);
  const auto found = record::Checkpoint::Parse(given);
  if (!wanted.ok() || !found.ok()) {
    return base::Refusal("CRED-06", "the note that was handed over has another text than the one to be signed",
                         kSignHint);
  }
  if (found->origin != wanted->origin) {
    return base::Refusal(
        "CRED-07", fmt::format("the signature is for another record, {}, expected {}", found->origin, wanted->origin),
        kSignHint);
  }
  if (found->size < wanted->size) {
    return base::Refusal(
        "CRED-08",
        fmt::format("the signature is for this record at size {}, expected size {}", found->size, wanted->size),
        "an approval serves once: sign the new request");
  }
  return base::Refusal(
      "CRED-06",
      fmt::format("the signature is for another checkpoint, {} with root {}, expected {} with root {}", Where(*found),
                  base::HexEncode(found->root), Where(*wanted), base::HexEncode(wanted->root)),
      kSignHint);
}

base::Result<record::SignatureLine> LineOfNote(const record::Note& note, const record::VerifierKey& key,
                                               const std::string& text) {
  KC_RETURN_IF_ERROR(CheckText(note.text, text));
  const auto named = std::ranges::find(note.signatures, key.name(), &record::SignatureLine::name);
  if (named != note.signatures.end()) return *named;
  return note.signatures.front();
}

// The dash of a signature line is on no keyboard.
std::optional<record::SignatureLine> AsLine(std::string_view given) {
  if (given.find('\n') != std::string_view::npos) return std::nullopt;
  for (const std::string_view dash : {"— ", "-- ", "- "}) {
    if (given.starts_with(dash)) {
      given.remove_prefix(dash.size());
      break;
    }
  }
  if (given.find(' ') == std::string_view::npos) return std::nullopt;
  auto line = record::SignatureLine::Parse("— " + std::string(given));
  if (!line.ok()) return std::nullopt;
  return std::move(line).value();
}

base::Error NotOver(const record::VerifierKey& key, const base::Bytes& signature, const std::string& text,
                    const std::vector<std::string>& earlier) {
  for (const std::string& old : earlier) {
    if (old == text || !key.Verify(old, signature).ok()) continue;
    return CheckText(old, text).error();
  }
  const auto checkpoint = record::Checkpoint::Parse(text);
  return base::Refusal("CRED-06",
                       fmt::format("this is not a signature of {} over {}: it is of another text, by another key, or "
                                   "damaged on the way",
                                   key.name(), checkpoint.ok() ? Where(*checkpoint) : std::string("this text")),
                       kSignHint);
}

}  // namespace

base::Result<record::SignatureLine> TakeHandedOver(std::string_view given, const record::VerifierKey& key,
                                                   const std::string& text, const std::vector<std::string>& earlier) {
  record::SignatureLine line;
  line.name = key.name();
  line.key_id = key.key_id();
  if (auto bare = AsSignature(base::AsBytes(given), key)) {
    line.signature = std::move(*bare);
  } else if (auto note = record::Note::Parse(given); note.ok()) {
    KC_ASSIGN_OR_RETURN(line, LineOfNote(*note, key, text));
  } else if (auto whole = AsLine(Trimmed(given))) {
    line = std::move(*whole);
  } else {
    std::string base64(Trimmed(given));
    std::erase_if(base64, [](char c) { return c == '\n' || c == '\r'; });  // `base64` breaks lines
    const auto bytes = base::Base64Decode(base64);
    auto signature = bytes.ok() ? AsSignature(*bytes, key) : std::nullopt;
    if (!signature) {
      return base::MakeError(base::ErrorCode::kInvalidInput,
                             "what was handed over is not a signature: expected a signature line, a signed note, or a "
                             "signature in DER or its base64")
          .WithHint("take the line that `keyceremony custodian approve` printed, or the file that it wrote");
    }
    line.signature = std::move(*signature);
  }
  if (line.name != key.name()) {
    return base::Refusal("CRED-05", fmt::format("the signature is by {}, expected {}", line.name, key.name()),
                         "everybody hands over their own signature");
  }
  if (line.key_id != key.key_id()) {
    return base::Refusal("CRED-05",
                         fmt::format("the signature is by another key of {}, with the id {}; the roster names {}",
                                     line.name, base::HexEncode(line.key_id), base::HexEncode(key.key_id())),
                         "sign with the key that the roster names: one person has one vote");
  }
  if (key.type() == record::SignatureType::kEcdsa) {
    if (auto low = record::LowS(line.signature); low.ok()) line.signature = std::move(low).value();
  }
  if (!key.Verify(text, line.signature).ok()) return NotOver(key, line.signature, text, earlier);
  return line;
}

}  // namespace ceremony::quorum
