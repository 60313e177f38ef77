#include "ceremony/replay/artefact.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

#include "ceremony/record/bounded_parse.h"
#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/der_reader.h"
#include "hsm/base/encoding.h"

namespace ceremony::replay {
namespace {

using nlohmann::json;
using x509::Element;
namespace tag = x509::tag;

constexpr std::size_t kLeastName = 8;  // octets: a serial number or a digest, not a version
constexpr unsigned kDeepest = 32;
constexpr std::size_t kLongestShown = 200;
constexpr std::uint8_t kConstructed = 0x20;

std::string Short(std::string text) {
  if (text.size() <= kLongestShown) return text;
  return text.substr(0, kLongestShown) + fmt::format("... ({} in all)", text.size());
}

// One element and nothing after it.
std::optional<Element> Single(base::ByteView bytes) {
  const x509::Header header = x509::ReadElement(bytes);
  if (header.fault != x509::HeaderFault::kNone || header.element.whole.size() != bytes.size()) return std::nullopt;
  return header.element;
}

std::optional<std::vector<Element>> ChildrenOf(base::ByteView content) {
  std::vector<Element> children;
  while (!content.empty()) {
    const x509::Header header = x509::ReadElement(content);
    if (header.fault != x509::HeaderFault::kNone) return std::nullopt;
    children.push_back(header.element);
    content = content.subspan(header.element.whole.size());
  }
  return children;
}

std::optional<std::int64_t> TimeOf(const Element& element) {
  const std::string_view text = base::AsText(element.content);
  if (element.identifier == tag::kUtcTime) return x509::ParseUtcTime(text);
  if (element.identifier == tag::kGeneralizedTime) return x509::ParseGeneralizedTime(text);
  return std::nullopt;
}

bool IsText(std::uint8_t identifier) {
  return identifier == tag::kUtf8String || identifier == tag::kPrintableString || identifier == tag::kIa5String ||
         identifier == tag::kVisibleString || identifier == tag::kTeletexString;
}

class DerComparison final {
 public:
  DerComparison(NamePairs& names, std::vector<Unlike>& unlike) : names_(names), unlike_(unlike) {}

  void Compare(const Element& then, const Element& now, const std::string& where, unsigned depth) {
    if (then.identifier != now.identifier || depth > kDeepest) return Say(then, now, where);
    if ((then.identifier & kConstructed) != 0) return Inside(then.content, now.content, then, now, where, depth);
    if (const auto time = TimeOf(then), other = TimeOf(now); time && other)
      return Times(*time, *other, then, now, where);
    if (then.identifier == tag::kOctetString && OfDer(then.content, now.content, where, depth)) return;
    if (then.identifier == tag::kBitString && !then.content.empty() && !now.content.empty() &&
        OfDer(then.content.subspan(1), now.content.subspan(1), where, depth))
      return;
    if (std::ranges::equal(then.content, now.content)) return;
    if (IsText(then.identifier)) return Texts(then, now, where);
    const bool may_be_name = then.identifier == tag::kInteger || then.identifier == tag::kBitString ||
                             then.identifier == tag::kOctetString || then.identifier == (0x80U | 0U);
    const std::size_t shorter = std::min(then.content.size(), now.content.size());
    // A positive INTEGER of random octets has a leading 00 half of the time.
    const std::size_t slack = then.identifier == tag::kInteger ? 1 : 0;
    if (!may_be_name || shorter < kLeastName || std::max(then.content.size(), now.content.size()) - shorter > slack)
      return Say(then, now, where);
    if (!names_.Pair(NameOf(then), NameOf(now))) Say(then, now, where, true);
  }

 private:
  static std::string NameOf(const Element& element) {
    base::ByteView content = element.content;
    if (element.identifier == tag::kInteger && content.size() > 1 && content[0] == 0) content = content.subspan(1);
    return base::HexEncode(content);
  }

  void Say(const Element& then, const Element& now, const std::string& where, bool other_name = false) {
    unlike_.push_back(
        {"element " + where, Short(base::HexEncode(then.whole)), Short(base::HexEncode(now.whole)), other_name});
  }

  void Texts(const Element& then, const Element& now, const std::string& where) {
    const Sameness sameness = names_.Compare(base::AsText(then.content), base::AsText(now.content));
    if (sameness != Sameness::kSame) Say(then, now, where, sameness == Sameness::kOtherName);
  }

  void Inside(base::ByteView a, base::ByteView b, const Element& then, const Element& now, const std::string& where,
              unsigned depth) {
    const auto before = ChildrenOf(a);
    const auto after = ChildrenOf(b);
    if (!before || !after || before->size() != after->size()) return Say(then, now, where);
    // Certificate, CertificationRequest, CertificateList: what is signed, how, and the signature, which is never twice
    // the same.
    const bool is_signed = depth == 0 && before->size() == 3 && (*before)[0].identifier == tag::kSequence &&
                           (*before)[1].identifier == tag::kSequence && (*before)[2].identifier == tag::kBitString &&
                           (*after)[2].identifier == tag::kBitString;
    for (std::size_t i = 0; i < before->size(); ++i) {
      if (is_signed && i == 2) continue;
      Compare((*before)[i], (*after)[i], where.empty() ? std::to_string(i + 1) : fmt::format("{}.{}", where, i + 1),
              depth + 1);
    }
  }

  // An OCTET STRING or BIT STRING that holds an element of its own (an extension, an RSA key).
  bool OfDer(base::ByteView a, base::ByteView b, const std::string& where, unsigned depth) {
    const auto then = Single(a);
    const auto now = Single(b);
    if (!then || !now || then->identifier != now->identifier) return false;
    if ((then->identifier & kConstructed) == 0 && then->identifier != tag::kOctetString) return false;
    Compare(*then, *now, where + ".1", depth + 1);
    return true;
  }

  // Within one file all times move together, but for ends that are no ends: a validity is as long as it was.
  void Times(std::int64_t then, std::int64_t now, const Element& a, const Element& b, const std::string& where) {
    constexpr std::int64_t kSlackSeconds = 2;
    if (then == now) return;
    names_.CountTime();
    if (!shift_) shift_ = now - then;
    if (std::llabs(now - then - *shift_) > kSlackSeconds) Say(a, b, where);
  }

  NamePairs& names_;
  std::vector<Unlike>& unlike_;
  std::optional<std::int64_t> shift_;
};

// The DER inside one PEM block of any label; nullopt for anything else.
std::optional<base::Bytes> DerOfPem(const std::string& text) {
  const std::size_t begin = text.find("-----\n");
  const std::size_t end = text.find("\n-----END ");
  if (!text.starts_with("-----BEGIN ") || begin == std::string::npos || end == std::string::npos || end <= begin)
    return std::nullopt;
  std::string body = text.substr(begin + 6, end - begin - 6);
  std::erase(body, '\n');
  auto der = base::Base64Decode(body);
  if (!der.ok()) return std::nullopt;
  return std::move(der).value();
}

bool IsPlainText(const std::string& bytes) {
  return std::ranges::none_of(bytes, [](char c) { return c == '\0'; });
}

}  // namespace

std::string ValueText(const json& value) {
  return Short(value.is_string() ? value.get<std::string>()
                                 : value.dump(-1, ' ', false, json::error_handler_t::replace));
}

void CompareValues(const json& recorded, const json& replayed, const std::string& where, NamePairs& names,
                   std::vector<Unlike>& unlike) {
  static const std::set<std::string, std::less<>> measured = {
      "microseconds", "minutes", "minutes_since_cap", "offset_seconds", "torn_bytes", "size", "entries", "entry"};
  if (recorded.is_object() && replayed.is_object()) {
    for (const auto& [name, value] : recorded.items()) {
      if (const auto now = replayed.find(name); now == replayed.end()) {
        unlike.push_back({where + name, ValueText(value), "", false});
      } else if (name == "module_sha256") {
        // The digest of a file of the machine is no name of what was made anew.
        if (value != *now) unlike.push_back({where + name, ValueText(value), ValueText(*now), false});
      } else if (!(measured.contains(name) && value.is_number() && now->is_number())) {
        CompareValues(value, *now, where + name + (value.is_structured() ? "." : ""), names, unlike);
      }
    }
    for (const auto& [name, value] : replayed.items()) {
      if (!recorded.contains(name)) unlike.push_back({where + name, "", ValueText(value), false});
    }
    return;
  }
  if (recorded.is_array() && replayed.is_array() && recorded.size() == replayed.size()) {
    for (std::size_t i = 0; i < recorded.size(); ++i) {
      CompareValues(recorded[i], replayed[i],
                    fmt::format("{}{}{}", where, i + 1, recorded[i].is_structured() ? "." : ""), names, unlike);
    }
    return;
  }
  if (recorded.is_string() && replayed.is_string()) {
    const Sameness sameness =
        names.Compare(recorded.get_ref<const std::string&>(), replayed.get_ref<const std::string&>());
    if (sameness != Sameness::kSame)
      unlike.push_back({where, ValueText(recorded), ValueText(replayed), sameness == Sameness::kOtherName});
    return;
  }
  if (recorded != replayed) unlike.push_back({where, ValueText(recorded), ValueText(replayed), false});
}

std::vector<Unlike> CompareArtefacts(const std::string& recorded, const std::string& replayed, NamePairs& names) {
  std::vector<Unlike> unlike;
  if (recorded == replayed) return unlike;
  if (const auto then = DerOfPem(recorded), now = DerOfPem(replayed); then && now)
    return CompareArtefacts(std::string(base::AsText(*then)), std::string(base::AsText(*now)), names);
  const auto then = Single(base::AsBytes(recorded));
  const auto now = Single(base::AsBytes(replayed));
  if (then && now && (then->identifier & kConstructed) != 0) {
    DerComparison(names, unlike).Compare(*then, *now, "", 0);
    return unlike;
  }
  const json before = record::ParseBounded(recorded);
  const json after = record::ParseBounded(replayed);
  if (before.is_structured() && after.is_structured()) {
    CompareValues(before, after, "", names, unlike);
    return unlike;
  }
  if (!IsPlainText(recorded) || !IsPlainText(replayed)) {
    unlike.push_back(
        {"its bytes", fmt::format("{} octets", recorded.size()), fmt::format("{} octets", replayed.size()), false});
    return unlike;
  }
  const Sameness sameness = names.Compare(recorded, replayed);
  if (sameness != Sameness::kSame)
    unlike.push_back({"its text", Short(recorded), Short(replayed), sameness == Sameness::kOtherName});
  return unlike;
}

}  // namespace ceremony::replay
