#include <algorithm>
#include <array>
#include <cstring>

#include "ceremony/record/characters.h"
#include "ceremony/record/scanner.h"

namespace ceremony::record {
namespace {

bool Unsigned(std::string_view value, std::uint64_t& out) {
  const std::optional<std::int64_t> number = DecodeInteger(value);
  if (!number || *number < 0) return false;
  out = static_cast<std::uint64_t>(*number);
  return true;
}

bool Text(std::string_view value, std::string_view& out) {
  if (value.size() < 2 || value.front() != '"') return false;
  out = value.substr(1, value.size() - 2);
  return true;
}

// The required fields of a type, common ones among them, in ascending order
// with what their value must look like.
enum class Form : std::uint8_t {  // up to kTime those of the common fields
  kVersion,
  kSeq,
  kMono,
  kMode,
  kSalt,
  kTime,
  kText,
  kPhase,
  kInteger,
  kObject,
  kArray,
  kObjectOrNull,
};
struct Required {
  std::string_view name;
  Form form;
  std::string_view phase;
  std::uint64_t order;  // KeyOrder(name)
};

Form FormOf(const RequiredField& field) {
  switch (field.kind) {
    case FieldKind::kText:
      return Form::kText;
    case FieldKind::kPhase:
      return Form::kPhase;
    case FieldKind::kInteger:
      return Form::kInteger;
    case FieldKind::kObject:
      return Form::kObject;
    case FieldKind::kArray:
      return Form::kArray;
    case FieldKind::kObjectOrNull:
      break;
  }
  return Form::kObjectOrNull;
}

std::vector<std::vector<Required>> MakeRequired() {
  std::vector<std::vector<Required>> table;
  for (const EntryTypeFacts& facts : EntryTypes()) {
    std::vector<Required> fields;
    const auto add = [&](std::string_view name, Form form, std::string_view phase = {}) {
      fields.push_back({name, form, phase, KeyOrder(name)});
    };
    add("v", Form::kVersion);
    add("seq", Form::kSeq);
    add("mono", Form::kMono);
    add("mode", Form::kMode);
    add("salt", Form::kSalt);
    add("time", Form::kTime);
    for (const RequiredField& field : facts.fields) add(field.name, FormOf(field), field.phase);
    std::sort(fields.begin(), fields.end(), [](const Required& a, const Required& b) { return a.name < b.name; });
    const auto index = static_cast<std::size_t>(facts.type);
    if (table.size() <= index) table.resize(index + 1);
    table[index] = std::move(fields);
  }
  return table;
}

const std::vector<Required>& RequiredOf(EntryType type) {
  static const std::vector<std::vector<Required>> table = MakeRequired();
  return table[static_cast<std::size_t>(type)];
}

bool Precedes(const Member& member, const Required& required) {
  return member.order < required.order || (member.order == required.order && member.key < required.name);
}

// FindType is FindEntryType for the million-fold case: by order first.
const EntryTypeFacts* FindType(std::string_view name) {
  static const std::vector<std::uint64_t> orders = [] {
    std::vector<std::uint64_t> out;
    for (const EntryTypeFacts& facts : EntryTypes()) out.push_back(KeyOrder(facts.name));
    return out;
  }();
  const std::uint64_t order = KeyOrder(name);
  for (std::size_t i = 0; i < orders.size(); ++i) {
    if (orders[i] == order && EntryTypes()[i].name == name) return &EntryTypes()[i];
  }
  return nullptr;
}

}  // namespace

bool Scanner::IsGoodTime(std::string_view text) {
  constexpr std::size_t kSecond = std::tuple_size_v<decltype(good_second_)>;
  constexpr std::size_t kMicroseconds = 6;
  if (text.size() != kSecond + kMicroseconds + 1) return false;
  // Many entries share a second, and what was good once is good again.
  if (std::memcmp(text.data(), good_second_.data(), kSecond) == 0) {
    return text.back() == 'Z' && std::ranges::all_of(text.substr(kSecond, kMicroseconds), IsDigit);
  }
  if (!IsTime(text)) return false;
  std::memcpy(good_second_.data(), text.data(), kSecond);
  return true;
}

LineFault Scanner::CheckFields(std::string_view line) {
  const auto fail = [&](LineFault fault, const char* at) {
    fault_offset_ = static_cast<std::size_t>(at - line.data());
    return fault;
  };
  const std::string_view type = Find("type");
  if (type.empty()) return fail(LineFault::kRequired, line.data());
  std::string_view type_name;
  if (!Text(type, type_name)) return fail(LineFault::kForm, type.data());
  const EntryTypeFacts* const facts = FindType(type_name);
  if (facts == nullptr) return fail(LineFault::kType, type.data());
  fields_.type = facts->type;

  // Both lists ascend, so one walk finds every required member.
  incomplete_field_ = {};
  auto member = members_.begin();
  for (const Required& required : RequiredOf(facts->type)) {
    std::string_view phase;
    if (!required.phase.empty() && (!Text(Find("phase"), phase) || phase != required.phase)) continue;
    while (member != members_.end() && Precedes(*member, required)) ++member;
    const bool common = required.form <= Form::kTime;
    if (member == members_.end() || !HasKey(*member, required.name, required.order)) {
      if (common) return fail(LineFault::kRequired, line.data());
      if (incomplete_field_.empty()) incomplete_field_ = required.name;
      continue;
    }
    const std::string_view value = member->value;
    bool good = false;
    std::string_view text;
    switch (required.form) {
      case Form::kVersion:
        good = value == "1";
        break;
      case Form::kSeq:
        good = Unsigned(value, fields_.seq);
        break;
      case Form::kMono:
        good = Unsigned(value, fields_.mono);
        break;
      case Form::kMode:
        fields_.mode = value == "\"production\"" ? Mode::kProduction : Mode::kRehearsal;
        good = fields_.mode == Mode::kProduction || value == "\"rehearsal\"";
        break;
      case Form::kSalt:
        good = Text(value, text) && IsLowerHex(text, 2 * kSaltBytes);
        break;
      case Form::kTime:
        good = Text(value, fields_.time) && IsGoodTime(fields_.time);
        break;
      case Form::kText:
        good = value.front() == '"';
        break;
      case Form::kPhase:
        good = Text(value, text) && IsPhase(text);
        break;
      case Form::kInteger:
        good = value.front() == '-' || IsDigit(value.front());
        break;
      case Form::kObject:
        good = value.front() == '{';
        break;
      case Form::kArray:
        good = value.front() == '[';
        break;
      case Form::kObjectOrNull:
        good = value.front() == '{' || value.front() == 'n';
        break;
    }
    if (!good && common) return fail(LineFault::kForm, value.data());
    if (!good && incomplete_field_.empty()) incomplete_field_ = required.name;
  }
  return LineFault::kNone;
}

}  // namespace ceremony::record
