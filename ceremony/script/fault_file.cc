#include "ceremony/script/fault_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "ceremony/script/names.h"
#include "ceremony/script/parsed.h"

namespace ceremony::script {
namespace {

using nlohmann::json;

constexpr std::array kKinds{
    Named<FaultKind>{FaultKind::kPulled, "pulled", "somebody pulls the token: every call to it fails"},
    Named<FaultKind>{FaultKind::kSlow, "slow", "each call to the token takes longer"},
    Named<FaultKind>{FaultKind::kRefuses, "refuses", "the token answers one function with an error"},
    Named<FaultKind>{FaultKind::kPinLocked, "pin-locked", "the user PIN of the token is locked"},
};

// What a token may refuse, as people meet it.
constexpr std::array kFunctions = {"C_GenerateKeyPair", "C_GenerateKey", "C_CreateObject",   "C_SetAttributeValue",
                                   "C_DestroyObject",   "C_Sign",        "C_SignInit",       "C_WrapKey",
                                   "C_UnwrapKey",       "C_DeriveKey",   "C_InitToken",      "C_InitPIN",
                                   "C_Login",           "C_OpenSession", "C_FindObjectsInit"};
constexpr std::array kAnswers = {
    "CKR_TEMPLATE_INCONSISTENT", "CKR_ATTRIBUTE_VALUE_INVALID", "CKR_MECHANISM_INVALID",      "CKR_DEVICE_MEMORY",
    "CKR_DEVICE_ERROR",          "CKR_TOKEN_WRITE_PROTECTED",   "CKR_FUNCTION_NOT_SUPPORTED", "CKR_SESSION_READ_ONLY",
    "CKR_PIN_INCORRECT"};

template <std::size_t kSize>
std::vector<ChoiceName> Words(const std::array<const char*, kSize>& words) {
  std::vector<ChoiceName> choices;
  choices.reserve(kSize);
  for (const char* word : words) choices.push_back({word, ""});
  return choices;
}

std::vector<Field> CommonFields() {
  constexpr std::int64_t kMostAttempts = 100;
  return {Field::Id("step", "the step at which it happens"), Field::Id("token", "the token"),
          Field::Integer("attempts", 1, kMostAttempts, "after so many tries of the step it is over").Default(1)};
}

FieldTable KindTable(FaultKind kind, std::vector<Field> own) {
  FieldTable table{std::string(NameOf(kind)), "", CommonFields(), {}};
  for (Field& field : own) table.fields.push_back(std::move(field));
  for (const auto& named : kKinds) {
    if (named.value == kind) table.help = std::string(named.help) + ".";
  }
  return table;
}

}  // namespace

std::string_view NameOf(FaultKind kind) { return WordOf(kKinds, kind); }

const FieldTable& FaultTable() {
  constexpr std::int64_t kMostFaults = 100;
  constexpr std::int64_t kMostCalls = 100'000;
  constexpr std::int64_t kMinute = 60'000;
  static const FieldTable table{
      "faults",
      "Bad days that a rehearsal plays.",
      {FormatField("keyceremony-faults/1"), Field::Text("title", "what is rehearsed"),
       Field::List(
           "faults",
           Field::Variant(
               "fault", Field::Shaped("what", IdShape(), "what happens"),
               {KindTable(FaultKind::kPulled, {Field::Integer("after", 0, kMostCalls,
                                                              "it is pulled after so many calls to it within the step")
                                                   .Default(0)}),
                KindTable(FaultKind::kSlow,
                          {Field::Integer("milliseconds", 1, kMinute, "longer by so much, each call")}),
                KindTable(FaultKind::kRefuses, {Field::Choice("function", Words(kFunctions), "the function"),
                                                Field::Choice("answer", Words(kAnswers), "what it answers")}),
                KindTable(FaultKind::kPinLocked, {})},
               "one bad day"),
           1, kMostFaults, "what goes wrong")},
      {}};
  return table;
}

base::Result<FaultFile> ParseFaults(LoadedFile file, Problems* problems) {
  const auto build = [](const Document&, const json& values, FaultFile& faults, Problems&) {
    faults.title = values.at("title");
    for (const json& value : values.at("faults")) {
      RehearsedFault fault;
      fault.kind = ValueOf(kKinds, value.at("what").get_ref<const std::string&>());
      fault.step = value.at("step");
      fault.token = value.at("token");
      fault.attempts = value.at("attempts");
      fault.after = value.value("after", std::int64_t{0});
      fault.milliseconds = value.value("milliseconds", std::int64_t{0});
      fault.function = value.value("function", "");
      fault.answer = value.value("answer", "");
      faults.faults.push_back(std::move(fault));
    }
  };
  return Parsed<FaultFile>(FaultTable(), std::move(file), problems, build);
}

base::Result<FaultFile> ReadFaults(const std::string& path, Problems* problems) {
  KC_ASSIGN_OR_RETURN(LoadedFile file, LoadFile(path));
  return ParseFaults(std::move(file), problems);
}

base::Result<void> CheckFaults(const FaultFile& faults, const Script& script) {
  for (const RehearsedFault& fault : faults.faults) {
    const bool step = std::ranges::any_of(script.sections, [&](const Section& section) {
      return std::ranges::any_of(section.steps, [&](const Step& s) { return s.id == fault.step; });
    });
    if (step && script.FindToken(fault.token) != nullptr) continue;
    base::Error error = base::MakeError(base::ErrorCode::kInvalidInput,
                                        fmt::format("{}: the script {} has no {} {}", faults.file.name, script.id,
                                                    step ? "token" : "step", step ? fault.token : fault.step));
    error.rule = "FAULT-01";
    error.hint = "name steps and tokens as the script does";
    return error;
  }
  return {};
}

}  // namespace ceremony::script
