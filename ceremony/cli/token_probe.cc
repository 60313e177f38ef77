#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/fleet_commands.h"
#include "ceremony/room/signals.h"
#include "ceremony/room/tty_terminal.h"
#include "ceremony/script/binding.h"
#include "ceremony/script/capability_file.h"
#include "ceremony/script/inputs.h"
#include "ceremony/steps/catalogue.h"
#include "ceremony/steps/mechanism_needs.h"
#include "hsm/describe.h"
#include "hsm/login.h"
#include "hsm/module.h"
#include "hsm/probe.h"

namespace ceremony::cli {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;
using nlohmann::ordered_json;

struct Arguments {
  std::string module;
  std::string init_args;
  std::string binding;
  std::string token;
  std::vector<std::string> scripts;
  bool claims = false;
  bool json = false;
};

struct Sought {
  hsm::ModuleOptions module;
  std::string label;
  std::string serial;
  bool protected_path = false;
};

// ScriptFit is whether a script's logical token can be this one.
struct ScriptFit {
  std::string script;
  std::string token;
  std::vector<std::string> lacks;  // "CKM_EDDSA, to sign with key root (Ed25519)"
};

struct Sheet {
  hsm::TokenInfo token;
  hsm::ModuleInfo module;
  std::string module_sha256;
  std::string_view quirks;
  std::set<std::string> mechanisms;
  bool tried = false;
  hsm::Probe probe;
  std::vector<ScriptFit> scripts;
};

Result<Sought> Seek(const Arguments& arguments) {
  Sought sought;
  if (arguments.binding.empty()) {
    sought.module = {arguments.module, {}, arguments.init_args};
    sought.label = arguments.token;
    return sought;
  }
  KC_ASSIGN_OR_RETURN(const script::Binding binding, script::ReadBinding(arguments.binding));
  const script::TokenBinding* bound = binding.Find(arguments.token);
  if (bound == nullptr) {
    return MakeError(ErrorCode::kInvalidInput, fmt::format("the binding has no token {}", arguments.token))
        .WithHint("name one of its \"tokens\" with --token");
  }
  sought.module = {bound->module, bound->environment, bound->init_args};
  sought.label = bound->label;
  sought.serial = bound->serial;
  sought.protected_path = bound->login == script::Login::kProtectedPath;
  return sought;
}

// The PIN is typed at the terminal, and nowhere else.
Result<void> Try(const std::shared_ptr<hsm::Token>& token, bool protected_path, Sheet& sheet) {
  KC_RETURN_IF_ERROR(hsm::CheckPinTries(token->info(), hsm::User::kUser));
  base::SecretBytes pin;
  if (!protected_path) {
    KC_ASSIGN_OR_RETURN(const std::unique_ptr<room::TtyTerminal> terminal, room::TtyTerminal::Open());
    room::SecretQuestion question;
    question.id = "token.probe/pin";
    question.person = "the administrator";
    question.text = "user PIN of " + token->Name();
    KC_ASSIGN_OR_RETURN(pin, terminal->AskSecret(question));
  }
  KC_ASSIGN_OR_RETURN(hsm::LoginScope login, hsm::LoginScope::Open(token, hsm::User::kUser, pin));
  KC_ASSIGN_OR_RETURN(sheet.probe, hsm::ProbeToken(login.session(), room::StopRequested));
  sheet.tried = true;
  return login.Close();
}

// What was tried and refused is not there, whatever the list says.
std::set<std::string> Usable(const Sheet& sheet) {
  std::set<std::string> usable = sheet.mechanisms;
  for (const hsm::Trial& trial : sheet.probe.trials) {
    if (trial.outcome == hsm::Trial::Outcome::kRefused) usable.erase(hsm::MechanismName(trial.mechanism));
  }
  return usable;
}

Result<void> FitScripts(const Arguments& arguments, Sheet& sheet) {
  const std::set<std::string> usable = Usable(sheet);
  for (const std::string& path : arguments.scripts) {
    KC_ASSIGN_OR_RETURN(const script::Inputs inputs, script::ReadInputs(path, "", "", steps::Catalogue()));
    for (const script::ScriptToken& token : inputs.script.tokens) {
      ScriptFit fit{inputs.script.id, token.name, {}};
      for (const steps::MechanismNeed& need : steps::MechanismsNeeded(inputs, estate::Estate(), token.name)) {
        if (!steps::IsMet(need, usable)) fit.lacks.push_back(steps::NamesOf(need) + ", " + need.why);
      }
      sheet.scripts.push_back(std::move(fit));
    }
  }
  return {};
}

std::string_view OutcomeName(hsm::Trial::Outcome outcome) {
  switch (outcome) {
    case hsm::Trial::Outcome::kWorks:
      return "works";
    case hsm::Trial::Outcome::kRefused:
      return "refused";
    case hsm::Trial::Outcome::kUntried:
      break;
  }
  return "untried";
}

ordered_json ToJson(const Sheet& sheet) {
  ordered_json object;
  object["format"] = script::kCapabilitiesFormat;
  object["token"] = {{"label", sheet.token.label},
                     {"serial", sheet.token.serial},
                     {"manufacturer", sheet.token.manufacturer},
                     {"model", sheet.token.model},
                     {"hardware", sheet.token.hardware_version},
                     {"firmware", sheet.token.firmware_version}};
  object["module"] = {{"path", sheet.module.path},
                      {"sha256", sheet.module_sha256},
                      {"manufacturer", sheet.module.manufacturer},
                      {"description", sheet.module.description},
                      {"version", sheet.module.library_version},
                      {"behaves_as", sheet.quirks}};
  object["tried"] = sheet.tried;
  object["mechanisms"] = Usable(sheet);
  object["trials"] = ordered_json::array();
  for (const hsm::Trial& trial : sheet.probe.trials) {
    object["trials"].push_back({{"what", trial.what},
                                {"mechanism", hsm::MechanismName(trial.mechanism)},
                                {"claimed", trial.claimed},
                                {"outcome", OutcomeName(trial.outcome)},
                                {"said", trial.said}});
  }
  object["findings"] = sheet.probe.findings;
  object["scripts"] = ordered_json::array();
  for (const ScriptFit& fit : sheet.scripts)
    object["scripts"].push_back({{"script", fit.script}, {"token", fit.token}, {"lacks", fit.lacks}});
  return object;
}

void Print(const Sheet& sheet, std::ostream& out) {
  out << fmt::format("{}\n  {}, {}, firmware {}\n  module {} ({} {}), behaves as {}\n", sheet.token.Name(),
                     sheet.token.manufacturer, sheet.token.model, sheet.token.firmware_version, sheet.module.path,
                     sheet.module.description, sheet.module.library_version, sheet.quirks);
  out << fmt::format("  {} mechanisms\n", sheet.mechanisms.size());
  if (!sheet.tried) out << "  nothing was tried: only what the token claims\n";
  for (const hsm::Trial& trial : sheet.probe.trials) {
    out << fmt::format("  {:<8} {}\n", OutcomeName(trial.outcome), trial.what);
    if (!trial.said.empty()) out << "           " << trial.said << "\n";
  }
  if (sheet.tried) out << "\nFindings\n" << (sheet.probe.findings.empty() ? "  it does what it claims\n" : "");
  for (const std::string& finding : sheet.probe.findings) out << "  " << finding << "\n";
  if (!sheet.scripts.empty()) out << "\nScripts\n";
  for (const ScriptFit& fit : sheet.scripts) {
    out << fmt::format("  {:<28} as {:<16} {}\n", fit.script, fit.token, fit.lacks.empty() ? "runs" : "DOES NOT RUN");
    for (const std::string& lack : fit.lacks) out << "      lacks " << lack << "\n";
  }
}

Result<int> ProbeOne(const Arguments& arguments, const Streams& streams) {
  if (arguments.module.empty() && arguments.binding.empty()) {
    return MakeError(ErrorCode::kInvalidInput, "which token is not said")
        .WithHint("name its module with --module, or the binding that has it with --binding");
  }
  const room::SignalScope signals;
  hsm::IgnoreBrokenPipes();
  KC_ASSIGN_OR_RETURN(const Sought sought, Seek(arguments));
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Module> module, hsm::Module::Load(sought.module, nullptr));
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> token, hsm::Token::Locate(module, sought.label, sought.serial));
  Sheet sheet;
  sheet.token = token->info();
  sheet.module = module->info();
  sheet.quirks = module->quirks().name;
  if (const auto digest = module->FileSha256(); digest.ok()) sheet.module_sha256 = *digest;
  KC_ASSIGN_OR_RETURN(const std::vector<CK_MECHANISM_TYPE> mechanisms, token->Mechanisms());
  for (const CK_MECHANISM_TYPE mechanism : mechanisms) sheet.mechanisms.insert(hsm::MechanismName(mechanism));
  if (!arguments.claims) KC_RETURN_IF_ERROR(Try(token, sought.protected_path, sheet));
  KC_RETURN_IF_ERROR(FitScripts(arguments, sheet));
  if (arguments.json) {
    streams.out << ToJson(sheet).dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
  } else {
    Print(sheet, streams.out);
  }
  const bool unfit =
      std::any_of(sheet.scripts.begin(), sheet.scripts.end(), [](const ScriptFit& fit) { return !fit.lacks.empty(); });
  return unfit || !sheet.probe.findings.empty() ? kExitFinding : kExitDone;
}

}  // namespace

void AddTokenProbe(CLI::App& token, Action& chosen) {
  CLI::App* probe = token.add_subcommand("probe", "try what a token can do, and which scripts would run on it");
  const auto arguments = std::make_shared<Arguments>();
  CLI::Option* module =
      probe->add_option("--module", arguments->module, "the token's PKCS#11 module")->type_name("PATH");
  probe->add_option("--init-args", arguments->init_args, "what the module is started with, as NSS wants it")
      ->type_name("TEXT")
      ->needs(module);
  CLI::Option* binding =
      probe->add_option("--binding", arguments->binding, "the binding that has the token")->type_name("FILE");
  binding->excludes(module);
  probe->add_option("--token", arguments->token, "its label; with a binding, its name there")
      ->required()
      ->type_name("NAME");
  probe->add_option("--script", arguments->scripts, "say whether this script would run on it; may be given again")
      ->type_name("FILE");
  probe->add_flag("--claims", arguments->claims, "do not log in and try: only what it claims");
  probe->add_flag("--json", arguments->json, "print its capability sheet as one JSON object");
  WhenChosen(*probe, chosen, arguments, ProbeOne);
}

}  // namespace ceremony::cli
