#include "ceremony/replay/names.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "ceremony/record/characters.h"
#include "ceremony/x509/der_reader.h"
#include "hsm/base/encoding.h"
#include "hsm/base/words.h"

namespace ceremony::replay {
namespace {

using record::IsDigit;
using record::IsLowerHex;

constexpr std::size_t kLeastHex = 8;
constexpr std::size_t kLeastBase64 = 24;

bool IsAlnum(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool IsHex(std::string_view word) { return word.size() >= kLeastHex && IsLowerHex(word, word.size()); }

// Decodes a word of base64: standard, or base64url for a salt or a digest without padding. Base64 must contain a digit
// or sign, so that ordinary words do not match. Base64url must have one of two sizes, so that identifiers with hyphens
// hardly ever match.
std::optional<base::Bytes> FromBase64(std::string_view word) {
  constexpr std::size_t kSaltSize = 22, kDigestSize = 43;
  const bool is_url = word.size() == kSaltSize || word.size() == kDigestSize;
  if ((!is_url && word.size() < kLeastBase64) ||
      std::ranges::none_of(word, [](char c) { return IsDigit(c) || c == '+'; })) {
    return std::nullopt;
  }
  std::string text(word);
  if (is_url) {
    if (text.find_first_of("+/=") != std::string::npos) return std::nullopt;
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    text.append(4 - text.size() % 4, '=');
  }
  base::Result<base::Bytes> bytes = base::Base64Decode(text);
  if (!bytes.ok()) return std::nullopt;
  return std::move(bytes).value();
}

bool IsBase64(std::string_view word) { return FromBase64(word).has_value(); }

// Whether bytes are one DER SEQUENCE, alone or behind the four of a key id, as a signature line has them.
bool IsSequence(base::ByteView bytes) {
  constexpr std::size_t kKeyId = 4;
  const auto is_whole = [](base::ByteView der) {
    const x509::Element element = x509::ReadElement(der).element;
    return element.identifier == x509::tag::kSequence && element.whole.size() == der.size();
  };
  return is_whole(bytes) || (bytes.size() > kKeyId && is_whole(bytes.subspan(kKeyId)));
}

bool MayStandForEachOther(std::string_view recorded, std::string_view replayed) {
  const auto then = FromBase64(recorded), now = FromBase64(replayed);
  if (!then || !now) return false;
  // A signature in DER is a few octets longer or shorter than another, and so is a certificate that holds one.
  constexpr std::size_t kSlack = 8;
  const auto [shorter, longer] = std::minmax({recorded.size(), replayed.size()});
  return shorter == longer || (longer - shorter <= kSlack && IsSequence(*then) && IsSequence(*now));
}

// Shapes of a time, '0' for a digit. Longer ones first.
constexpr std::array<std::string_view, 7> kTimes = {"0000-00-00T00:00:00.000000Z",
                                                    "0000-00-00T00:00:00Z",
                                                    "0000-00-00 00:00:00 UTC",
                                                    "0000-00-00 00:00:00",
                                                    "0000-00-00 00:00",
                                                    "0000-00-00",
                                                    "00:00:00"};

std::size_t TimeAt(std::string_view text) {
  for (const std::string_view shape : kTimes) {
    if (text.size() < shape.size()) continue;
    const bool fits = std::ranges::equal(shape, text.substr(0, shape.size()),
                                         [](char s, char t) { return s == '0' ? IsDigit(t) : s == t; });
    if (fits && (text.size() == shape.size() || !IsDigit(text[shape.size()]))) return shape.size();
  }
  return 0;
}

struct Word {
  std::string_view text;
  bool time = false;
};

// The first word, time or sign of a text.
Word FirstOf(std::string_view text) {
  if (const std::size_t time = TimeAt(text); time > 0) return {text.substr(0, time), true};
  std::size_t size = 0;
  while (size < text.size() && (IsAlnum(text[size]) || text[size] == '+' || text[size] == '/' || text[size] == '='))
    ++size;
  if (IsBase64(text.substr(0, size)) && !IsHex(text.substr(0, size))) return {text.substr(0, size), false};
  size = 0;
  while (size < text.size() && IsAlnum(text[size])) ++size;
  return {text.substr(0, std::max<std::size_t>(size, 1)), false};
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

}  // namespace

NamePairs::NamePairs() {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::array<std::uint8_t, 2> both = {static_cast<std::uint8_t>(byte), static_cast<std::uint8_t>(byte)};
    for (const std::string& word : base::PgpWords(both)) spoken_.insert(Lower(word));
  }
}

bool NamePairs::Pair(const std::string& recorded, const std::string& replayed) {
  if (recorded != replayed) ++names_;
  const auto [there, first] = replayed_of_.emplace(recorded, replayed);
  const auto [back, second] = recorded_of_.emplace(replayed, recorded);
  return there->second == replayed && back->second == recorded;
}

void NamePairs::Rename(const std::string& before, const std::string& after) {
  const auto found = replayed_of_.find(before);
  if (found == replayed_of_.end() || replayed_of_.contains(after)) return;
  recorded_of_[found->second] = after;
  replayed_of_.emplace(after, found->second);
}

std::optional<Sameness> NamePairs::CompareNames(std::string_view recorded, std::string_view replayed) {
  const bool hex = IsHex(recorded) && IsHex(replayed) && recorded.size() == replayed.size();
  if (!hex && !MayStandForEachOther(recorded, replayed)) return std::nullopt;
  return Pair(std::string(recorded), std::string(replayed)) ? Sameness::kSame : Sameness::kOtherName;
}

Sameness NamePairs::Compare(std::string_view recorded, std::string_view replayed) {
  if (const auto names = CompareNames(recorded, replayed)) return *names;
  Sameness found = Sameness::kSame;
  while (!recorded.empty() && !replayed.empty()) {
    const Word then = FirstOf(recorded);
    const Word now = FirstOf(replayed);
    if (then.time && now.time) {
      if (then.text != now.text) ++times_;
    } else if (const auto names = CompareNames(then.text, now.text)) {
      if (*names != Sameness::kSame) found = *names;
    } else if (then.text != now.text) {
      if (!spoken_.contains(Lower(then.text)) || !spoken_.contains(Lower(now.text))) return Sameness::kDifferent;
      ++names_;
    }
    recorded.remove_prefix(then.text.size());
    replayed.remove_prefix(now.text.size());
  }
  return recorded.empty() && replayed.empty() ? found : Sameness::kDifferent;
}

}  // namespace ceremony::replay
