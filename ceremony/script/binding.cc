#include "ceremony/script/binding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "ceremony/script/expected.h"
#include "ceremony/script/names.h"
#include "ceremony/script/parsed.h"
#include "ceremony/script/written.h"

namespace ceremony::script {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array kEnvironments{
    Named<Environment>{Environment::kRehearsal, "rehearsal", "tokens made for it, simulated people"},
    Named<Environment>{Environment::kUit, "uit", "user integration test"},
    Named<Environment>{Environment::kSit, "sit", "system integration test"},
    Named<Environment>{Environment::kProduction, "production", "the real thing"},
};

constexpr std::array kLogins{
    Named<Login>{Login::kPinPrompt, "pin-prompt", "the PIN is typed at the terminal"},
    Named<Login>{Login::kProtectedPath, "protected-path", "the token has its own keypad or card reader"},
    Named<Login>{Login::kShares, "shares", "custodians combine the PIN"},
};

constexpr std::size_t kLabelBytes = 32;   // PKCS#11 2.40 section 3.2, CK_TOKEN_INFO
constexpr std::size_t kSerialBytes = 16;  // the same

constexpr const char* kSecretWords = "a secret must never stand in a file";
constexpr const char* kSecretHint = "take it out, and change that secret: it has been written down";

std::string Lower(std::string_view text) {
  std::string lower;
  for (const char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

// HoldsSecret finds `pin=1234` and the like in arguments of a module.
bool HoldsSecret(std::string_view arguments) {
  const std::string lower = Lower(arguments);
  for (std::size_t equals = lower.find('='); equals != std::string::npos; equals = lower.find('=', equals + 1)) {
    std::size_t start = equals;
    while (start > 0 && (std::isalnum(static_cast<unsigned char>(lower[start - 1])) != 0 || lower[start - 1] == '-' ||
                         lower[start - 1] == '_'))
      --start;
    if (LooksSecret(std::string_view(lower).substr(start, equals - start))) return true;
  }
  return false;
}

// HoldsSecretName finds TOKEN_PIN as well as PIN and PASSWORD.
bool HoldsSecretName(std::string_view variable) {
  if (LooksSecret(variable)) return true;
  while (!variable.empty()) {
    const auto end = std::min(variable.find('_'), variable.size());
    if (LooksSecret(variable.substr(0, end))) return true;
    variable.remove_prefix(std::min(end + 1, variable.size()));
  }
  return false;
}

class Builder final {
 public:
  Builder(const Document& document, Binding& binding, Problems& problems)
      : document_(document), binding_(binding), problems_(problems) {}

  void Build(const json& values) {
    binding_.estate = values.at("estate");
    binding_.environment = ValueOf(kEnvironments, values.at("environment").get_ref<const std::string&>());
    binding_.record_token = values.at("record_token");
    binding_.script_sha256 = values.value("script_sha256", "");
    for (const Node* node : document_.root().Find("tokens")->children()) {
      BuildToken(values.at("tokens").at(node->key()), *node);
    }
    if (const Node* credentials = document_.root().Find("credentials"); credentials != nullptr) {
      for (const Node* node : credentials->children()) BuildCredential(values.at("credentials").at(node->key()), *node);
    }
    for (const json& waiver : values.at("waivers")) {
      binding_.waivers.push_back({waiver.at("rule"), waiver.value("step", ""), waiver.at("reason"),
                                  waiver.at("people").get<std::vector<std::string>>()});
    }
    if (binding_.Find(binding_.record_token) != nullptr) return;
    std::vector<std::string> names;
    for (const TokenBinding& token : binding_.tokens) names.push_back(token.name);
    const std::string nearest = NearestName(binding_.record_token, names);
    Add(*document_.root().Find("record_token"), kRuleReference,
        fmt::format("expected a token that `tokens` binds, {}, found \"{}\"", QuotedList(names), binding_.record_token),
        nearest.empty() ? "" : "did you mean `" + nearest + "`?");
  }

 private:
  void Add(const Node& node, std::string_view rule, std::string message, std::string hint = {}) {
    AddProblem(document_, node, PlaceOf::kValue, rule, std::move(message), std::move(hint), problems_);
  }

  void BuildToken(const json& value, const Node& node) {
    TokenBinding token;
    token.name = node.key();
    token.module = value.at("module");
    token.label = value.at("label");
    token.serial = value.value("serial", "");
    token.login = ValueOf(kLogins, value.at("login").get_ref<const std::string&>());
    token.environment = value.at("environment").get<std::map<std::string, std::string>>();
    token.init_args = value.value("init_args", "");
    token.site = value.value("site", "");
    if (const auto blank = value.find("uninitialised"); blank != value.end()) {
      token.uninitialised.emplace();
      if (blank->contains("slot")) token.uninitialised->slot = blank->at("slot").get<std::uint64_t>();
      token.uninitialised->serial = blank->value("serial", "");
      token.uninitialised->slot_description = blank->value("slot_description", "");
      if (const Node* serial = node.Find("uninitialised")->Find("serial"); serial != nullptr)
        CheckBytes(*serial, kSerialBytes);
    }
    CheckBytes(*node.Find("label"), kLabelBytes);
    if (const Node* serial = node.Find("serial"); serial != nullptr) CheckBytes(*serial, kSerialBytes);
    CheckArguments(node);
    CheckOneSetting({token.name, token.module, token.environment, token.init_args}, node);
    CheckDistinct(token, node);
    binding_.tokens.push_back(std::move(token));
  }

  void BuildCredential(const json& value, const Node& node) {
    CredentialBinding credential;
    std::string_view kind;
    if (value.contains("sign")) {
      kind = "sign";
      credential = CredentialBinding::Files(value.at("sign"), value.value("open", ""));
    } else if (value.contains("module")) {
      kind = "module";
      credential.kind = CredentialKind::kCard;
      credential.module = value.at("module");
      credential.label = value.value("label", "");
      credential.serial = value.value("serial", "");
      if (value.contains("environment"))
        credential.environment = value.at("environment").get<std::map<std::string, std::string>>();
      credential.init_args = value.value("init_args", "");
      if (credential.label.empty() && credential.serial.empty())
        Add(node, kRuleMissing, "missing: expected \"label\" or \"serial\" of the card");
    } else {
      kind = "offline";
      if (!value.at("offline").get<bool>())
        Add(*node.Find("offline"), kRuleValue, "expected true, found false", "say where the keys are, or leave it out");
    }
    for (const Node* member : node.children()) {
      const std::string_view owner = OwnerOf(member->key());
      if (!owner.empty() && owner != kind) {
        Add(*member, kRuleContradiction, fmt::format("expected only beside `{}`, found beside `{}`", owner, kind));
      }
    }
    for (const char* name : {"label", "serial"}) {
      const Node* member = node.Find(name);
      if (member != nullptr) CheckBytes(*member, std::string_view(name) == "label" ? kLabelBytes : kSerialBytes);
    }
    CheckArguments(node);
    if (credential.kind == CredentialKind::kCard)
      CheckOneSetting({node.key(), credential.module, credential.environment, credential.init_args}, node);
    binding_.credentials[node.key()] = std::move(credential);
  }

  // OwnerOf tells which kind of credential a member belongs to.
  static std::string_view OwnerOf(std::string_view member) {
    if (member == "open") return "sign";
    for (const std::string_view of_card : {"label", "serial", "environment", "init_args"}) {
      if (member == of_card) return "module";
    }
    return {};
  }

  // What a module is given must hold no PIN, neither by variable nor by argument.
  void CheckArguments(const Node& node) {
    if (const Node* variables = node.Find("environment"); variables != nullptr) {
      for (const Node* variable : variables->children()) {
        if (HoldsSecretName(variable->key()) || HoldsSecret(variable->text()))
          Add(*variable, kRuleSecret, kSecretWords, kSecretHint);
      }
    }
    if (const Node* arguments = node.Find("init_args"); arguments != nullptr && HoldsSecret(arguments->text()))
      Add(*arguments, kRuleSecret, kSecretWords, kSecretHint);
  }

  // A module is loaded and initialised once in a process, with one environment and one set of arguments.
  struct Setting {
    std::string owner, module;
    std::map<std::string, std::string> environment;
    std::string init_args;
  };
  void CheckOneSetting(Setting setting, const Node& node) {
    for (const Setting& other : settings_) {
      if (other.module != setting.module) continue;
      for (const char* member : {"environment", "init_args"}) {
        const bool same = std::string_view(member) == "environment" ? other.environment == setting.environment
                                                                    : other.init_args == setting.init_args;
        if (same) continue;
        const Node* at = node.Find(member);
        Add(at != nullptr ? *at : *node.Find("module"), kRuleContradiction,
            fmt::format("expected the `{}` that `{}` gives to the same module, found another", member, other.owner),
            "a module takes one setting in a process; a second one needs a copy of its file");
      }
      return;
    }
    settings_.push_back(std::move(setting));
  }

  // The token pads both with blanks to a fixed number of bytes.
  void CheckBytes(const Node& node, std::size_t most) {
    if (node.text().size() <= most) return;
    Add(node, kRuleValue, fmt::format("expected at most {} bytes in UTF-8, found {}", most, node.text().size()));
  }

  void CheckDistinct(const TokenBinding& token, const Node& node) {
    for (const TokenBinding& other : binding_.tokens) {
      if (other.module != token.module || other.serial != token.serial) continue;
      if (!token.serial.empty()) {
        Add(*node.Find("serial"), kRuleSameName,
            fmt::format("expected a real token of its own, found that of `{}`", other.name));
      } else if (other.label == token.label) {
        Add(*node.Find("label"), kRuleSameName,
            fmt::format("expected a label of its own, found that of `{}`", other.name));
      }
    }
  }

  const Document& document_;
  Binding& binding_;
  Problems& problems_;
  std::vector<Setting> settings_;  // the first of each module
};

Field EnvironmentField() {
  return Field::Map("environment", VariableShape(), Field::Text("value", "its value").Length(1, 1000).Unquotable(), 0,
                    20, "environment variables, set before the module is loaded");
}

Field InitArgsField() {
  return Field::Text("init_args", "for C_Initialize, as modules of the NSS kind need")
      .Length(1, 1000)
      .Unquotable()
      .Optional();
}

FieldTable CredentialTable() {
  return {
      "credential",
      "Where the keys of a custodian are: in files (`sign`, `open`), on a card or token of their own (`module` with "
      "`label` or `serial`), or offline. Secrets never stand here.",
      {Field::Shaped("sign", AbsolutePathShape(),
                     "a PKCS#8 file (PEM) with the key that approves, encrypted unless the person is simulated")
           .Example("\"/media/alice/sign.pem\"")
           .Optional(),
       Field::Shaped("open", AbsolutePathShape(), "the same with the key that opens shares").Optional(),
       Field::Shaped("module", AbsolutePathShape(),
                     "the PKCS#11 library of the card; its keys are found by the roster's public keys, its PIN is "
                     "asked for, or typed on the card reader")
           .Optional(),
       Field::Text("label", "the card's label").Length(1, 32).Optional(),
       Field::Text("serial", "the card's serial number").Length(1, 16).Optional(), EnvironmentField().Optional(),
       InitArgsField(),
       Field::Boolean("offline", "true: the custodian signs on a machine of their own and hands over the signature")
           .Optional()},
      {{"sign", "module", "offline"}}};
}

FieldTable TokenTable() {
  FieldTable blank{"uninitialised",
                   "How a token that has not been initialised is recognised; what is left out is not compared, and one "
                   "token must match.",
                   {Field::Integer("slot", 0, kMaxInteger, "slot id").Optional(),
                    Field::Text("serial", "serial of the device, if it shows one already").Length(1, 16).Optional(),
                    Field::Text("slot_description", "as `keyceremony token list` shows it").Length(1, 64).Optional()},
                   {}};
  return {
      "bound token",
      "A real token. Secrets never stand here.",
      {Field::Shaped("module", AbsolutePathShape(), "the PKCS#11 library")
           .Example("\"/usr/lib/softhsm/libsofthsm2.so\""),
       Field::Text("label", "the token's label; one to be commissioned gets it").Length(1, 32),
       Field::Text("serial", "the token's serial number").Length(1, 16).Optional(),
       Field::Table("uninitialised", std::move(blank), "in place of `serial`, for a token to be commissioned")
           .Example("{}")
           .Optional(),
       Field::Choice("login", ChoicesOf(kLogins), "how one logs in").Default("pin-prompt").Unquotable(),
       EnvironmentField().DefaultJson("{}"), InitArgsField(), Field::Text("site", "where the token stands").Optional()},
      {{"serial", "uninitialised"}}};
}

ordered_json Spelled(const CredentialBinding& credential) {
  ordered_json entry = ordered_json::object();
  switch (credential.kind) {
    case CredentialKind::kFiles:
      entry["sign"] = credential.sign;
      if (!credential.open.empty()) entry["open"] = credential.open;
      break;
    case CredentialKind::kCard:
      entry["module"] = credential.module;
      if (!credential.label.empty()) entry["label"] = credential.label;
      if (!credential.serial.empty()) entry["serial"] = credential.serial;
      for (const auto& [name, value] : credential.environment) entry["environment"][name] = value;
      if (!credential.init_args.empty()) entry["init_args"] = credential.init_args;
      break;
    case CredentialKind::kOffline:
      entry["offline"] = true;
      break;
  }
  return entry;
}

FieldTable WaiverTable() {
  return {"waiver",
          "A rule that is not kept this time, by decision of the people who are named.",
          {Field::Text("rule", "the rule's id, as `keyceremony check` shows it").Example("\"QUORUM-SPARE-01\""),
           Field::Id("step", "the only step that the waiver is for; left out: every one").Optional(),
           Field::Prose("reason", "why, for the people in the room and for the auditor"),
           Field::List("people", Field::Id("person", "a person's id in the roster"), 1, 20,
                       "who decided it; as many as the policy's `waiver` asks for")
               .Unique()},
          {}};
}

}  // namespace

CredentialBinding CredentialBinding::Files(std::string sign, std::string open) {
  CredentialBinding credential;
  credential.kind = CredentialKind::kFiles;
  credential.sign = std::move(sign);
  credential.open = std::move(open);
  return credential;
}

std::string_view NameOf(Environment environment) { return WordOf(kEnvironments, environment); }
std::string_view NameOf(Login login) { return WordOf(kLogins, login); }

const TokenBinding* Binding::Find(std::string_view token) const {
  const auto found =
      std::find_if(tokens.begin(), tokens.end(), [&](const TokenBinding& each) { return each.name == token; });
  return found == tokens.end() ? nullptr : &*found;
}

const FieldTable& BindingTable() {
  static const FieldTable table{
      "binding",
      "Which real token stands for each logical token of a script.",
      {FormatField("keyceremony-binding/1"),
       Field::Id("estate", "the estate; that of the script").Example("\"smki.example\""),
       Field::Choice("environment", ChoicesOf(kEnvironments), "where this is; part of every record and output"),
       Field::Map("tokens", IdShape(), Field::Table("token", TokenTable(), "a token"), 1, 100,
                  "real tokens by logical name"),
       Field::Id("record_token", "the one of `tokens` that makes and holds the key of the record"),
       Field::Map("credentials", IdShape(), Field::Table("credential", CredentialTable(), "a credential"), 0, 200,
                  "where the keys of each custodian are, by person id")
           .DefaultJson("{}"),
       Field::List("waivers", Field::Table("waiver", WaiverTable(), "a waiver"), 0, 50,
                   "rules that people have decided to go without, and say so again in the room")
           .DefaultJson("[]"),
       Field::Digest("script_sha256", "freezes the script: nothing else may run under this binding").Optional()},
      {}};
  return table;
}

base::Result<Binding> ParseBinding(LoadedFile file, Problems* problems) {
  const auto build = [](const Document& document, const json& values, Binding& binding, Problems& all) {
    Builder(document, binding, all).Build(values);
  };
  return Parsed<Binding>(BindingTable(), std::move(file), problems, build);
}

base::Result<Binding> ReadBinding(const std::string& path, Problems* problems) {
  KC_ASSIGN_OR_RETURN(LoadedFile file, LoadFile(path));
  return ParseBinding(std::move(file), problems);
}

base::Result<std::string> WriteBinding(const Binding& binding) {
  ordered_json file{
      {"format", "keyceremony-binding/1"}, {"estate", binding.estate}, {"environment", NameOf(binding.environment)}};
  file["tokens"] = ordered_json::object();
  for (const TokenBinding& token : binding.tokens) {
    ordered_json entry{{"module", token.module}, {"label", token.label}};
    if (!token.serial.empty()) entry["serial"] = token.serial;
    if (token.uninitialised.has_value()) {
      ordered_json blank = ordered_json::object();
      if (token.uninitialised->slot.has_value()) blank["slot"] = *token.uninitialised->slot;
      if (!token.uninitialised->serial.empty()) blank["serial"] = token.uninitialised->serial;
      if (!token.uninitialised->slot_description.empty())
        blank["slot_description"] = token.uninitialised->slot_description;
      entry["uninitialised"] = std::move(blank);
    }
    entry["login"] = NameOf(token.login);
    for (const auto& [name, value] : token.environment) entry["environment"][name] = value;
    if (!token.init_args.empty()) entry["init_args"] = token.init_args;
    if (!token.site.empty()) entry["site"] = token.site;
    file["tokens"][token.name] = std::move(entry);
  }
  file["record_token"] = binding.record_token;
  for (const auto& [person, credential] : binding.credentials) file["credentials"][person] = Spelled(credential);
  for (const Waiver& waiver : binding.waivers) {
    ordered_json entry{{"rule", waiver.rule}, {"reason", waiver.reason}, {"people", waiver.people}};
    if (!waiver.step.empty()) entry["step"] = waiver.step;
    file["waivers"].push_back(std::move(entry));
  }
  if (!binding.script_sha256.empty()) file["script_sha256"] = binding.script_sha256;
  return Written(file, [](LoadedFile written) { return ParseBinding(std::move(written)); });
}

base::Result<void> CheckBinding(const Script& script, const Binding& binding) {
  Problems problems;
  const Node& root = script.document.root();
  if (binding.estate != script.estate) {
    AddProblem(script.document, *root.Find("estate"), PlaceOf::kValue, kRuleContradiction,
               fmt::format("expected the estate of the binding {}, \"{}\", found \"{}\"", binding.file.name,
                           binding.estate, script.estate),
               "", problems);
  }
  if (!binding.script_sha256.empty() && binding.script_sha256 != script.file.sha256) {
    AddProblem(script.document, root, PlaceOf::kValue, "BIND-02",
               fmt::format("the binding {} freezes the script with the SHA-256 {}, this one has {}", binding.file.name,
                           binding.script_sha256, script.file.sha256),
               "run the script that was reviewed, or review this one and freeze it", problems);
  }
  for (const ScriptToken& token : script.tokens) {
    if (binding.Find(token.name) != nullptr) continue;
    AddProblem(script.document, *root.Find("tokens")->Find(token.name), PlaceOf::kName, "BIND-01",
               fmt::format("the binding {} does not say which real token this is", binding.file.name),
               fmt::format("add `{}` to the `tokens` of {}", token.name, binding.file.name), problems);
  }
  if (!problems.empty()) return problems.ToError();
  return {};
}

}  // namespace ceremony::script
