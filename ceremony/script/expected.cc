#include "ceremony/script/expected.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ceremony::script {
namespace {

std::string Range(std::int64_t minimum, std::int64_t maximum) {
  return minimum == maximum ? std::to_string(minimum) : fmt::format("{} to {}", minimum, maximum);
}

}  // namespace

std::string QuotedList(const std::vector<std::string>& words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) list += i + 1 == words.size() ? " or " : ", ";
    list += '"' + words[i] + '"';
  }
  return list;
}

std::string Expected(const Field& field) {
  switch (field.type) {
    case FieldType::kText:
      return fmt::format("a line of text of {} characters", Range(field.minimum, field.maximum));
    case FieldType::kProse:
      return fmt::format("text of {} characters", Range(field.minimum, field.maximum));
    case FieldType::kShaped:
      return std::string(field.shape->what);
    case FieldType::kRegex:
      return "a pattern";
    case FieldType::kInteger:
      return field.minimum == field.maximum ? fmt::format("the integer {}", field.minimum)
                                            : fmt::format("an integer from {} to {}", field.minimum, field.maximum);
    case FieldType::kBoolean:
      return "true or false";
    case FieldType::kChoice: {
      std::vector<std::string> names;
      for (const ChoiceName& choice : field.choices) names.push_back(choice.name);
      return QuotedList(names);
    }
    case FieldType::kList:
      return fmt::format("a list of {}", Range(field.minimum, field.maximum));
    case FieldType::kMap:
      return fmt::format("an object with {} names", Range(field.minimum, field.maximum));
    case FieldType::kTable:
    case FieldType::kVariant:
      return "an object";
  }
  return "something else";
}

bool LooksSecret(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      plain += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      plain += c;
    }
  }
  constexpr std::array<std::string_view, 12> kWhole{"pin",    "pins",     "puk",     "sopin", "userpin", "newpin",
                                                    "oldpin", "tokenpin", "cardpin", "share", "shares",  "pinvalue"};
  constexpr std::array<std::string_view, 6> kPart{"password", "passphrase", "passwd",
                                                  "secret",   "privatekey", "signkeypem"};
  return std::find(kWhole.begin(), kWhole.end(), plain) != kWhole.end() ||
         std::any_of(kPart.begin(), kPart.end(),
                     [&](std::string_view part) { return plain.find(part) != std::string::npos; });
}

}  // namespace ceremony::script
