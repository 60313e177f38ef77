#include "ceremony/x509/open_values.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/certificate.h"
#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/extension_value.h"
#include "ceremony/x509/general_name.h"

namespace ceremony::x509 {
namespace {

const ExtensionRule* FindNames(const Profile& profile) {
  const auto found = std::find_if(profile.extensions.begin(), profile.extensions.end(), [](const ExtensionRule& rule) {
    return std::holds_alternative<SubjectAltNameRule>(rule.value);
  });
  return found == profile.extensions.end() ? nullptr : &*found;
}

base::Result<void> CheckAreOpen(const Profile& profile, const AlternativeNames& names) {
  const ExtensionRule* rule = FindNames(profile);
  for (const auto& [kind, value] : names) {
    const auto open = [&, &word = kind](const AlternativeNameRule& name) {
      return !name.value && GeneralNameKindName(name.kind) == word;
    };
    if (rule != nullptr && std::ranges::any_of(std::get<SubjectAltNameRule>(rule->value).names, open)) continue;
    return base::Refusal("TBS-EXT-01",
                         fmt::format("the {} \"{}\" is given for subjectAltName, which profile {} does not leave open",
                                     kind, value, profile.name),
                         "leave it out, or choose a profile that takes such a name");
  }
  return {};
}

base::Result<void> CheckAreOpen(const Profile& profile, const OpenExtensions& extensions) {
  for (const auto& [type, der] : extensions) {
    const auto open = [&, &name = type](const ExtensionRule& rule) {
      const auto* raw = std::get_if<RawExtensionRule>(&rule.value);
      return rule.type == name && raw != nullptr && !raw->der;
    };
    if (std::ranges::any_of(profile.extensions, open)) continue;
    return base::Refusal(
        "TBS-EXT-01",
        fmt::format("a value is given for extension {}, which profile {} does not leave open", type, profile.name));
  }
  return {};
}

}  // namespace

base::Result<void> CheckAlternativeNames(const Profile& profile, const AlternativeNames& names) {
  KC_RETURN_IF_ERROR(CheckAreOpen(profile, names));
  const ExtensionRule* rule = FindNames(profile);
  if (rule == nullptr || names.empty()) return {};
  const auto value = EncodeExtensionValue(profile, *rule, {{}, nullptr, nullptr, &names});
  return value.ok() ? base::Result<void>() : base::Result<void>(value.error());
}

base::Result<void> CheckOpenValues(const Profile& profile, const OpenExtensions& extensions,
                                   const AlternativeNames& names) {
  KC_RETURN_IF_ERROR(CheckAreOpen(profile, extensions));
  KC_RETURN_IF_ERROR(CheckAreOpen(profile, names));
  for (const ExtensionRule& rule : profile.extensions) {
    if (!std::holds_alternative<SubjectAltNameRule>(rule.value) &&
        !std::holds_alternative<RawExtensionRule>(rule.value))
      continue;
    const auto value = EncodeExtensionValue(profile, rule, {{}, nullptr, &extensions, &names});
    if (!value.ok()) return value.error();
  }
  return {};
}

base::Result<AlternativeNames> AlternativeNamesOf(const Profile& profile, base::ByteView value) {
  const auto refuse = [&](const std::string& why) {
    return base::Refusal("TBS-EXT-01", fmt::format("profile {} makes no such subjectAltName: {}", profile.name, why));
  };
  const ExtensionRule* rule = FindNames(profile);
  if (rule == nullptr) return refuse("it has none");
  const auto& wanted = std::get<SubjectAltNameRule>(rule->value).names;
  Findings findings(value);
  DerReader outer(value, "subjectAltName", findings);
  const auto sequence = outer.Take(tag::kSequence, "GeneralNames");
  if (!sequence || !outer.Finish()) return refuse("it is no list of names");
  AlternativeNames names;
  base::ByteView rest = sequence->content;
  for (const AlternativeNameRule& name : wanted) {
    const Element element = rest.empty() ? Element{} : ReadElement(rest).element;
    if (element.whole.empty()) return refuse(fmt::format("a {} is missing", GeneralNameKindName(name.kind)));
    rest = rest.subspan(element.whole.size());
    const auto text = name.value ? name.value : GeneralNameValue(name.kind, element);
    if (!text) return refuse(fmt::format("a {} must stand first of what is left", GeneralNameKindName(name.kind)));
    const auto again = EncodeGeneralName(name.kind, *text, name.hardware_type, NamePlace::kName);
    if (!again.ok()) return refuse(again.error().message);
    if (!std::ranges::equal(*again, element.whole)) {
      return refuse(fmt::format("\"{}\" must be there, it has {}",
                                GeneralNameRuleText(name.kind, *text, name.hardware_type),
                                GeneralNameText(element, NamePlace::kName).value_or(HexExcerpt(element.whole))));
    }
    if (!name.value) names.emplace(GeneralNameKindName(name.kind), *text);
  }
  if (!rest.empty()) return refuse("it has more names");
  return names;
}

}  // namespace ceremony::x509
