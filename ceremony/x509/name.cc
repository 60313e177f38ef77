#include "ceremony/x509/name.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "ceremony/x509/attribute_types.h"
#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/der_writer.h"
#include "ceremony/x509/oid.h"
#include "ceremony/x509/view.h"
#include "hsm/base/encoding.h"
#include "hsm/base/utf8.h"

namespace ceremony::x509 {
namespace {

// The DER of one attribute value, held to its encoding by our own reader.
base::Result<base::Bytes> EncodeValue(const AttributeRule& rule, const std::string& value) {
  const auto refuse = [&](const std::string& why) {
    return base::Refusal(
        "NAME-VALUE-03", fmt::format("the subject's {} \"{}\" {}", rule.type, value, why),
        fmt::format("the profile asks for {} of 1 to {} {}", StringEncodingName(rule.encoding), rule.max_length,
                    rule.encoding == StringEncoding::kBitString ? "bits, as hexadecimal digits" : "characters"));
  };
  // Neither counts where names are compared, so that two names that look different would be one.
  if (value.starts_with(' ') || value.ends_with(' '))
    return refuse(fmt::format("{} with a blank", value.starts_with(' ') ? "begins" : "ends"));
  if (std::ranges::any_of(value, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return refuse("has a control character");
  DerWriter writer;
  if (rule.encoding == StringEncoding::kBitString) {
    const auto octets = base::HexDecode(value);
    if (!octets) return refuse("is not pairs of lowercase hexadecimal digits");
    writer.BitString(*octets);
  } else {
    writer.Text(IdentifierOf(rule.encoding), value);
  }
  Findings findings(writer.view());
  CheckDer(writer.view(), findings);
  if (!findings.empty()) return refuse("is not as it must be: " + findings.list().front().message);
  const Header header = ReadElement(writer.view());
  const std::size_t length = CharacterCount(header.element.identifier, header.element.content);
  if (length == 0) return refuse("is empty");
  if (length > rule.max_length)
    return refuse(
        fmt::format("has {} {}", length, rule.encoding == StringEncoding::kBitString ? "bits" : "characters"));
  return std::move(writer).Take();
}

bool IsAsciiCompatible(std::uint8_t identifier) {
  return identifier == tag::kPrintableString || identifier == tag::kUtf8String || identifier == tag::kIa5String ||
         identifier == tag::kTeletexString || identifier == tag::kNumericString || identifier == tag::kVisibleString;
}

// A text as a comparison without regard to case and runs of spaces sees it (RFC 4518, for ASCII).
std::string FoldedText(base::ByteView text) {
  std::string folded;
  bool gap = false;
  for (const std::uint8_t c : text) {
    if (c == ' ') {
      gap = !folded.empty();
      continue;
    }
    if (gap) folded += ' ';
    gap = false;
    folded += static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  }
  return folded;
}

// With its size before it, no part looks like the end of itself and another one.
void AppendSized(std::string& all, std::string_view part) {
  all.append(std::to_string(part.size())).append(":").append(part);
}

std::string TypeText(base::ByteView type) {
  const auto known = FindOid(type);
  if (!known) return DottedOid(type);
  const OidFacts& facts = FactsOf(*known);
  return std::string(facts.short_name.empty() ? facts.name : facts.short_name);
}

// Whether a value in a NameText, which is TYPE=VALUE (ENCODING) again and again, looks like the end of one
// attribute and another one after it.
bool CouldBeMisread(std::string_view value) {
  const std::size_t separator = value.find_first_of(",+");
  return value.starts_with('"') ||
         (separator != std::string_view::npos && value.find('=', separator) != std::string_view::npos);
}

enum class Quotes : std::uint8_t { kNone, kWhereNeeded };

std::string SpellName(base::ByteView name, Quotes quotes) {
  std::string text;
  NameReader reader(name);
  while (const auto attribute = reader.Next()) {
    if (!text.empty()) text += attribute->first_of_rdn ? ", " : " + ";
    const bool quoted = quotes == Quotes::kWhereNeeded && IsAsciiCompatible(attribute->encoding);
    const std::string_view encoding = StringTypeName(attribute->encoding);
    text += fmt::format("{}={} ({})", TypeText(attribute->type),
                        quoted ? TextInName(attribute->value) : AttributeValueText(*attribute),
                        encoding.empty() ? fmt::format("tag {:02x}", attribute->encoding) : std::string(encoding));
  }
  return text.empty() ? "(empty)" : text;
}

}  // namespace

base::Result<base::Bytes> BuildName(const Profile& profile, const SubjectValues& values) {
  for (const auto& [type, value] : values) {
    const auto of_type = [&name = type](const AttributeRule& rule) { return rule.type == name; };
    const auto is_open = [&](const AttributeRule& rule) { return of_type(rule) && !rule.value; };
    if (std::ranges::any_of(profile.subject, is_open)) continue;
    const auto fixed = std::ranges::find_if(profile.subject, of_type);
    return base::Refusal(
        "NAME-VALUE-02",
        fmt::format("the script gives the subject's {} as \"{}\", where profile {} {}", type, value, profile.name,
                    fixed == profile.subject.end() ? "has no such attribute" : "fixes it to \"" + *fixed->value + "\""),
        "leave it out of the script");
  }
  DerWriter writer;
  std::optional<base::Error> error;
  writer.Nested(tag::kSequence, [&] {
    for (const AttributeRule& rule : profile.subject) {
      const auto given = values.find(rule.type);
      if (!rule.value && given == values.end()) {
        if (rule.optional) continue;
        error = base::Refusal("NAME-VALUE-01",
                              fmt::format("profile {} needs a value for the subject's {}", profile.name, rule.type),
                              "give it in the script");
        return;
      }
      const auto type = OidContent(rule.type);
      const auto value = EncodeValue(rule, rule.value ? *rule.value : given->second);
      if (!type || !value) {
        error = !type ? type.error() : value.error();
        return;
      }
      writer.Nested(tag::kSet, [&] {
        writer.Nested(tag::kSequence, [&] {
          writer.Value(tag::kOid, *type);
          writer.Raw(*value);
        });
      });
    }
  });
  if (error) return *std::move(error);
  return std::move(writer).Take();
}

std::string SafeText(base::ByteView text) {
  const std::string_view characters = base::AsText(text);
  std::string safe;
  for (std::size_t at = 0; at < characters.size();) {
    const std::size_t begin = at;
    const char32_t point = base::NextCodePoint(characters, at);
    const std::string_view character = characters.substr(begin, at - begin);
    if (point != base::kNotUtf8 && point != '\\' && point != '\n' && !base::IsInvisible(point)) {
      safe += character;
    } else {
      for (const char octet : character) safe += fmt::format("\\{:02x}", static_cast<unsigned char>(octet));
    }
  }
  return safe;
}

std::string AttributeValueText(const AttributeView& attribute) {
  return IsAsciiCompatible(attribute.encoding) ? SafeText(attribute.value) : "#" + base::HexEncode(attribute.value);
}

std::string TextInName(base::ByteView value) {
  std::string text = SafeText(value);
  if (!CouldBeMisread(text)) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\\22" : std::string(1, c);
  return quoted + '"';
}

std::string NameText(base::ByteView name) { return SpellName(name, Quotes::kWhereNeeded); }

bool SpellsName(std::string_view text, base::ByteView name) {
  return text == NameText(name) || text == SpellName(name, Quotes::kNone);
}

std::string FoldedName(base::ByteView name) {
  std::string folded;
  NameReader reader(name);
  while (const auto attribute = reader.Next()) {
    const bool is_text = IsAsciiCompatible(attribute->encoding);
    const std::string value = is_text ? FoldedText(attribute->value) : std::string(base::AsText(attribute->value));
    folded += attribute->first_of_rdn ? ',' : '+';
    AppendSized(folded, base::AsText(attribute->type));
    folded += static_cast<char>(is_text ? 0 : attribute->encoding);
    AppendSized(folded, value);
  }
  return folded;
}

bool SameName(base::ByteView a, base::ByteView b) { return FoldedName(a) == FoldedName(b); }

}  // namespace ceremony::x509
