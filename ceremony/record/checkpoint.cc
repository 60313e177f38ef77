#include "ceremony/record/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "ceremony/record/characters.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/scanner.h"
#include "hsm/base/encoding.h"
#include "hsm/base/random.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

constexpr std::size_t kOriginRandomBytes = 16;

base::Error NotACheckpoint(std::string_view problem) {
  return MakeError(ErrorCode::kCorrupt, fmt::format("not a checkpoint: {}", problem));
}

Result<std::uint64_t> ParseSize(std::string_view text) {
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || (text.size() > 1 && text.front() == '0') || size > static_cast<std::uint64_t>(kMaxInteger)) {
    return NotACheckpoint("its second line is not a decimal size");
  }
  return size;
}

}  // namespace

Result<Checkpoint> Checkpoint::Parse(std::string_view text) {
  std::string_view lines[3];
  for (std::string_view& line : lines) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return NotACheckpoint("fewer than three lines");
    line = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  if (!text.empty()) return NotACheckpoint("more than three lines");
  Checkpoint parsed;
  if (!IsKeyName(lines[0])) return NotACheckpoint("its first line is not an origin");
  parsed.origin = lines[0];
  KC_ASSIGN_OR_RETURN(parsed.size, ParseSize(lines[1]));
  const Result<base::Bytes> root = base::Base64Decode(lines[2]);
  if (!root.ok() || root->size() != parsed.root.size())
    return NotACheckpoint("its third line is not the base64 of 32 bytes");
  std::ranges::copy(*root, parsed.root.begin());
  return parsed;
}

std::string Checkpoint::Text() const { return fmt::format("{}\n{}\n{}\n", origin, size, base::Base64Encode(root)); }

std::optional<Checkpoint> CheckpointIn(std::string_view object) {
  Scanner scanner;
  if (scanner.ScanObject(object) != LineFault::kNone) return std::nullopt;
  const std::optional<std::string> origin = DecodeString(scanner.Find("origin"));
  const std::optional<std::int64_t> size = DecodeInteger(scanner.Find("size"));
  const std::optional<std::string> root = DecodeString(scanner.Find("root"));
  if (!origin || !size || *size < 0 || !root) return std::nullopt;
  // Bytes are hex in entries; base64 is how a checkpoint spells the same root.
  const Result<base::Bytes> bytes = root->size() == 64 ? base::HexDecode(*root) : base::Base64Decode(*root);
  Checkpoint named{*origin, static_cast<std::uint64_t>(*size), {}};
  if (!bytes.ok() || bytes->size() != named.root.size()) return std::nullopt;
  std::ranges::copy(*bytes, named.root.begin());
  return named;
}

nlohmann::json CheckpointFields(const Checkpoint& checkpoint) {
  return {{"origin", checkpoint.origin}, {"size", checkpoint.size}, {"root", base::HexEncode(checkpoint.root)}};
}

Result<std::string> NewOrigin(std::string_view estate, std::string_view ceremony) {
  if (!IsKeyName(estate)) {
    return MakeError(ErrorCode::kInvalidInput,
                     fmt::format("the estate name \"{}\" cannot be part of an origin", estate))
        .WithHint("use letters, digits, dots and hyphens, such as example.com/smki");
  }
  if (!IsKeyName(ceremony) || ceremony.find('/') != std::string_view::npos) {
    return MakeError(ErrorCode::kInvalidInput,
                     fmt::format("the ceremony id \"{}\" cannot be part of an origin", ceremony))
        .WithHint("use letters, digits, dots and hyphens");
  }
  return fmt::format("{}/{}/{}", estate, ceremony, base::RandomHex(kOriginRandomBytes));
}

Result<OriginParts> SplitOrigin(std::string_view origin) {
  const std::size_t last = origin.rfind('/');
  const std::size_t middle = last == std::string_view::npos || last == 0 ? last : origin.rfind('/', last - 1);
  if (middle == std::string_view::npos || middle == 0 || middle + 1 >= last || !IsKeyName(origin) ||
      !IsLowerHex(origin.substr(last + 1), 2 * kOriginRandomBytes)) {
    return MakeError(ErrorCode::kInvalidInput, fmt::format("\"{}\" is not an origin", origin))
        .WithHint("an origin is <estate name>/<ceremony id>/<32 hex digits>");
  }
  return OriginParts{std::string(origin.substr(0, middle)), std::string(origin.substr(middle + 1, last - middle - 1)),
                     std::string(origin.substr(last + 1))};
}

std::string PersonKeyName(std::string_view estate, std::string_view person) {
  return fmt::format("{}/{}", estate, person);
}

}  // namespace ceremony::record
