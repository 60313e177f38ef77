#include "ceremony/x509/compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/attribute_types.h"
#include "ceremony/x509/certificate.h"
#include "ceremony/x509/extension_value.h"
#include "ceremony/x509/rule_id.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

class Comparer final {
 public:
  Comparer(const TbsView& tbs, const Profile& profile, const TbsInput* input, const std::uint8_t* start)
      : tbs_(tbs), profile_(profile), input_(input), start_(start), fields_(FieldsOf(tbs)) {}

  Comparison Run() && {
    Add("version", profile_.extensions.empty() ? "1" : "3", std::to_string(tbs_.version),
        tbs_.version == (profile_.extensions.empty() ? 1U : 3U), tbs_.whole);
    Serial();
    const SignatureAlgorithmFacts& algorithm = FactsOf(profile_.signature_algorithm);
    Add("signature algorithm", std::string(algorithm.name), fields_.signature_algorithm,
        std::ranges::equal(tbs_.signature.whole, IdentifierOf(algorithm.algorithm)), tbs_.signature.whole);
    Issuer();
    Validity();
    Subject();
    Key();
    Extensions();
    return std::move(comparison_);
  }

 private:
  void Add(std::string field, std::string says, std::string has, bool equal, base::ByteView where) {
    const std::size_t offset = where.data() == nullptr ? 0 : static_cast<std::size_t>(where.data() - start_);
    comparison_.Add({std::move(field), std::move(says), std::move(has), equal, offset});
  }

  void Serial() {
    const bool shaped =
        tbs_.serial.size() == profile_.serial_octets && !tbs_.serial.empty() && (tbs_.serial[0] & 0x80U) == 0;
    if (input_ != nullptr) {
      Add("serial number", base::HexEncode(input_->serial), fields_.serial_hex,
          shaped && std::ranges::equal(input_->serial, tbs_.serial), tbs_.serial);
    } else {
      Add("serial number", fmt::format("{} octets, positive", profile_.serial_octets),
          fmt::format("{} ({} octets)", fields_.serial_hex, tbs_.serial.size()), shaped, tbs_.serial);
    }
  }

  void Issuer() {
    if (profile_.self_signed) {
      Add("issuer", "the subject, byte by byte", fields_.issuer, IsSelfIssued(tbs_), tbs_.issuer);
    } else if (input_ != nullptr && input_->authority) {
      Add("issuer", NameText(input_->authority->name), fields_.issuer,
          std::ranges::equal(input_->authority->name, tbs_.issuer), tbs_.issuer);
    } else {
      Add("issuer", "another CA", fields_.issuer, !IsSelfIssued(tbs_), tbs_.issuer);
    }
  }

  void Validity() {
    const std::int64_t not_before = tbs_.not_before.seconds.value_or(0);
    const auto period = PeriodOf(profile_.validity, input_ != nullptr ? input_->not_before : not_before);
    if (!period || !tbs_.not_before.seconds || !tbs_.not_after.seconds) {
      Add("validity", ValidityText(profile_.validity), fields_.not_before + " to " + fields_.not_after, false,
          tbs_.not_before.whole);
      return;
    }
    if (input_ != nullptr || std::holds_alternative<FixedValidity>(profile_.validity)) {
      Add("not before", ReadableTime(period->not_before), fields_.not_before,
          period->not_before == *tbs_.not_before.seconds, tbs_.not_before.whole);
    }
    Add("not after", fmt::format("{} ({})", ReadableTime(period->not_after), ValidityText(profile_.validity)),
        fields_.not_after, period->not_after == *tbs_.not_after.seconds, tbs_.not_after.whole);
  }

  // With the input the whole name is known; without it each attribute is held to its rule.
  void Subject() {
    if (input_ != nullptr) {
      const auto name = BuildName(profile_, input_->subject);
      Add("subject", name ? NameText(*name) : name.error().message, fields_.subject,
          name.ok() && std::ranges::equal(*name, tbs_.subject), tbs_.subject);
      return;
    }
    NameReader reader(tbs_.subject);
    auto attribute = reader.Next();
    for (const AttributeRule& rule : profile_.subject) {
      const auto type = OidContent(rule.type);
      const bool here = attribute && type.ok() && attribute->first_of_rdn && std::ranges::equal(attribute->type, *type);
      if (!here && rule.optional) continue;
      Add("subject " + rule.type, AttributeRuleText(rule), here ? AttributeText(*attribute) : "(absent)",
          here && Matches(rule, *attribute), here ? attribute->whole : tbs_.subject);
      if (here) attribute = reader.Next();
    }
    for (; attribute; attribute = reader.Next()) {
      Add("subject " + OidText(attribute->type), "(absent)", AttributeText(*attribute), false, attribute->whole);
    }
    if (profile_.subject.empty())
      Add("subject", "(empty)", fields_.subject, !NameReader(tbs_.subject).Next().has_value(), tbs_.subject);
  }

  static std::string AttributeRuleText(const AttributeRule& rule) {
    const std::string_view unit = rule.encoding == StringEncoding::kBitString ? "bits" : "characters";
    return rule.value ? fmt::format("{} ({})", *rule.value, StringEncodingName(rule.encoding))
                      : fmt::format("1 to {} {} ({})", rule.max_length, unit, StringEncodingName(rule.encoding));
  }

  static std::string AttributeText(const AttributeView& attribute) {
    const std::string_view name = StringTypeName(attribute.encoding);
    return fmt::format("{} ({})", AttributeValueText(attribute),
                       name.empty() ? fmt::format("tag {:02x}", attribute.encoding) : std::string(name));
  }

  static bool Matches(const AttributeRule& rule, const AttributeView& attribute) {
    if (attribute.encoding != IdentifierOf(rule.encoding)) return false;
    if (!rule.value) {
      const std::size_t length = CharacterCount(attribute.encoding, attribute.value);
      return length >= 1 && length <= rule.max_length;
    }
    if (rule.encoding != StringEncoding::kBitString) return base::AsText(attribute.value) == *rule.value;
    return !attribute.value.empty() && attribute.value[0] == 0 &&
           base::HexEncode(attribute.value.subspan(1)) == *rule.value;
  }

  void Key() {
    if (input_ != nullptr) {
      Add("public key",
          fmt::format("{}, SPKI SHA-256 {}", base::FactsOf(input_->subject_key.algorithm()).title,
                      input_->subject_key.SpkiSha256Hex()),
          fmt::format("{}, SPKI SHA-256 {}", fields_.key_algorithm, fields_.spki_sha256),
          std::ranges::equal(input_->subject_key.spki(), tbs_.spki.whole), tbs_.spki.whole);
    }
    std::string allowed;
    bool found = false;
    for (const base::KeyAlgorithm key : profile_.key_algorithms) {
      allowed += fmt::format("{}{}", allowed.empty() ? "" : " or ", base::FactsOf(key).title);
      found = found || base::FactsOf(key).title == fields_.key_algorithm;
    }
    Add("key algorithm", allowed, fields_.key_algorithm, found, tbs_.spki.whole);
  }

  void Extensions() {
    const ExtensionSources sources = SourcesOf(tbs_.spki.bits, input_);
    std::vector<const ExtensionView*> expected;
    std::size_t place = 0;
    for (const ExtensionRule& rule : profile_.extensions) {
      const ExtensionView* extension = Find(rule);
      if (extension != nullptr) expected.push_back(extension);
      const auto value = EncodeExtensionValue(profile_, rule, sources);
      const auto text = RuleText(profile_, rule, sources);
      const std::string field = "extension " + rule.type;
      const std::string critical = rule.critical ? "critical, " : "";
      if (extension == nullptr) {
        const bool may_be_absent = rule.optional && value.ok() && !*value;
        if (!may_be_absent) Add(field, critical + text.value_or("any value"), "(absent)", false, tbs_.extensions_whole);
        continue;
      }
      const std::string has = (extension->critical ? "critical, " : "") + ExtensionText(*extension);
      bool equal = value.ok() && rule.critical == extension->critical;
      if (equal && *value) {
        // The bytes and the words are made by different code; both must agree.
        const bool raw = std::holds_alternative<RawExtensionRule>(rule.value);
        equal = std::ranges::equal(**value, extension->value) && (raw || text == ExtensionText(*extension));
      } else if (equal) {
        equal = input_ == nullptr && Shaped(rule, *extension);
      }
      Add(field, critical + text.value_or("any value"), has, equal, extension->whole);
      if (extension != tbs_.extensions().data() + place) {
        Add("place of " + rule.type, fmt::format("extension number {}", place + 1),
            fmt::format("extension number {}", extension - tbs_.extensions().data() + 1), false, extension->whole);
      }
      ++place;
    }
    for (const ExtensionView& extension : tbs_.extensions()) {
      if (std::find(expected.begin(), expected.end(), &extension) != expected.end()) continue;
      Add("extension " + OidText(extension.oid), "(absent)",
          (extension.critical ? "critical, " : "") + ExtensionText(extension), false, extension.whole);
    }
  }

  // Without the input an authorityKeyIdentifier can only be held to its form.
  static bool Shaped(const ExtensionRule& rule, const ExtensionView& extension) {
    const auto* key_id = std::get_if<AuthorityKeyIdentifierRule>(&rule.value);
    if (key_id == nullptr) return true;
    const std::string text = ExtensionText(extension);
    const bool both = text.find(", issuer ") != std::string::npos && text.find(", serial ") != std::string::npos;
    const bool alone = text.find(", ") == std::string::npos;
    return text.starts_with("key identifier ") && (key_id->form == AuthorityKeyForm::kKeyIdentifier ? alone : both);
  }

  const ExtensionView* Find(const ExtensionRule& rule) const {
    const auto type = OidContent(rule.type);
    if (!type) return nullptr;
    for (const ExtensionView& extension : tbs_.extensions()) {
      if (std::ranges::equal(extension.oid, *type)) return &extension;
    }
    return nullptr;
  }

  const TbsView& tbs_;
  const Profile& profile_;
  const TbsInput* input_;
  const std::uint8_t* start_;
  Fields fields_;
  Comparison comparison_;
};

}  // namespace

bool Comparison::AllEqual() const {
  return std::all_of(rows_.begin(), rows_.end(), [](const ComparisonRow& row) { return row.equal; });
}

std::vector<Finding> Comparison::ToFindings() const {
  std::vector<Finding> findings;
  for (const ComparisonRow& row : rows_) {
    if (!row.equal)
      findings.push_back({RuleId::kCompare01, row.offset,
                          fmt::format("{}: the profile says {}, the {} has {}", row.field, row.profile_says, what_,
                                      row.certificate_has)});
  }
  return findings;
}

std::string Comparison::Text() const {
  std::size_t field_width = 5;
  std::size_t says_width = 12;
  for (const ComparisonRow& row : rows_) {
    field_width = std::max(field_width, row.field.size());
    // One long value must not push the other column off the screen.
    if (row.profile_says.size() <= 48) says_width = std::max(says_width, row.profile_says.size());
  }
  std::string text =
      fmt::format("  {:{}}  {:{}}  {}\n", "field", field_width, "profile says", says_width, what_ + " has");
  for (const ComparisonRow& row : rows_) {
    text += fmt::format("{} {:{}}  {:{}}  {}\n", row.equal ? '=' : '!', row.field, field_width, row.profile_says,
                        says_width, row.certificate_has);
  }
  return text;
}

Comparison CompareWithProfile(const TbsView& tbs, const Profile& profile, const TbsInput* input,
                              const std::uint8_t* file_start) {
  return Comparer(tbs, profile, input, file_start).Run();
}

}  // namespace ceremony::x509
