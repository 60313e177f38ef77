#include <charconv>

#include "ceremony/script/fields.h"

namespace ceremony::script {
namespace {

// The pattern has seen to it that it is digits.
int Digits(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Proleptic Gregorian calendar, as RFC 3339 has it.
bool IsRealDay(std::string_view text) {
  const int year = Digits(text.substr(0, 4));
  const int month = Digits(text.substr(5, 2));
  const int day = Digits(text.substr(8, 2));
  const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const int days[] = {31, is_leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

// The patterns are ours and constant; one that does not parse is a bug that the
// first test of any file finds.
Shape Make(std::string_view name, std::string_view pattern, std::string_view what,
           bool (*is_real)(std::string_view) = nullptr) {
  return {name, Pattern::Parse(pattern).value(), what, is_real};
}

}  // namespace

const Shape& IdShape() {
  static const Shape shape =
      Make("id", "[a-z0-9][a-z0-9._-]{0,63}",
           "an id (1 to 64 lowercase letters, digits, dots, hyphens, underscores; a letter or digit first)");
  return shape;
}

const Shape& KindShape() {
  static const Shape shape = Make("kind", "[a-z]{1,24}\\.[a-z-]{1,24}", "a kind of step, such as key.generate");
  return shape;
}

const Shape& DigestShape() {
  static const Shape shape = Make("digest", "[0-9a-f]{64}", "a SHA-256 digest (64 lowercase hexadecimal digits)");
  return shape;
}

const Shape& TimeShape() {
  static const Shape shape =
      Make("time", "\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\dZ",
           "a time in UTC, such as 2026-11-21T05:17:45Z", IsRealDay);
  return shape;
}

const Shape& DateShape() {
  static const Shape shape =
      Make("date", "\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])", "a date, such as 2026-11-21", IsRealDay);
  return shape;
}

const Shape& PathShape() {
  static const Shape shape =
      Make("path", "[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}){0,7}",
           "a path below this file's folder (letters, digits, dots, hyphens, underscores; no part begins with a dot)");
  return shape;
}

const Shape& AbsolutePathShape() {
  static const Shape shape = Make("absolute path", "(/\\.?[A-Za-z0-9_+@=,~ -][A-Za-z0-9_.+@=,~ -]*)+",
                                  "an absolute path without `.` and `..` parts");
  return shape;
}

const Shape& Base64Shape() {
  static const Shape shape =
      Make("base64", "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)",
           "base64 (RFC 4648 section 4, padded)", [](std::string_view text) {
             // The bits that padding leaves over must be zero, or two texts would mean the same bytes.
             constexpr std::string_view kTwoBitsFree = "AEIMQUYcgkosw048";
             constexpr std::string_view kFourBitsFree = "AQgw";
             if (text.ends_with("==")) return kFourBitsFree.find(text[text.size() - 3]) != std::string_view::npos;
             if (text.ends_with("=")) return kTwoBitsFree.find(text[text.size() - 2]) != std::string_view::npos;
             return true;
           });
  return shape;
}

const Shape& OidShape() {
  static const Shape shape =
      Make("object identifier", "([01]\\.([1-3]?\\d)|2\\.(0|[1-9]\\d{0,14}))(\\.(0|[1-9]\\d{0,17})){0,29}",
           "an object identifier, such as 1.2.826.0.1");
  return shape;
}

const Shape& HexShape() {
  static const Shape shape = Make("hex", "([0-9a-f]{2})+", "pairs of lowercase hexadecimal digits");
  return shape;
}

const Shape& VersionShape() {
  static const Shape shape =
      Make("version", "[0-9]{1,9}(\\.[0-9]{1,9}){0,3}(-[a-z0-9.]{1,20})?", "a version, such as 1.0 or 2026.1-draft3");
  return shape;
}

const Shape& VariableShape() {
  static const Shape shape =
      Make("variable", "[A-Z_][A-Z0-9_]{0,63}", "the name of an environment variable, such as SOFTHSM2_CONF");
  return shape;
}

const Shape& RuleShape() {
  static const Shape shape = Make("rule", "[A-Z][A-Z0-9]*(-[A-Z0-9]+){1,4}", "a rule id, such as KEY-ATTR-02");
  return shape;
}

std::vector<const Shape*> Shapes() {
  return {&IdShape(),      &KindShape(),         &DigestShape(), &TimeShape(), &DateShape(),
          &PathShape(),    &AbsolutePathShape(), &Base64Shape(), &OidShape(),  &HexShape(),
          &VersionShape(), &VariableShape(),     &RuleShape()};
}

}  // namespace ceremony::script
