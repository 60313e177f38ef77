// ScriptedTerminal answers the questions of a test by their ids, writes down
// everything that was shown, and fails at a chosen prompt: the terminal's part
// of the fault sweep.
#ifndef TESTS_SUPPORT_SCRIPTED_TERMINAL_H_
#define TESTS_SUPPORT_SCRIPTED_TERMINAL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ceremony/room/answer.h"
#include "ceremony/room/terminal.h"
#include "ceremony/room/typesetter.h"
#include "hsm/base/bytes.h"

namespace support {

class ScriptedTerminal final : public ceremony::room::Terminal {
 public:
  struct Answer {
    std::string id;     // the question that must come next
    std::string typed;  // what is typed; the PIN for a secret
  };

  // Strict: questions must come in this order and no other may come (kInternal).
  explicit ScriptedTerminal(std::vector<Answer> answers) : strict_(true), answers_(answers.begin(), answers.end()) {}
  // Willing: every question is answered with Question::simulated, or, where that
  // is empty, with its expected word or its first choice. Secrets as SetSecret says.
  ScriptedTerminal() = default;

  // SetSecret is what AskSecret returns for this id when no answer is scripted.
  void SetSecret(std::string id, std::string secret) { secrets_.emplace_back(std::move(id), std::move(secret)); }
  // FailAt makes the prompt with this index (from 0, questions and secrets counted together) return `error`.
  void FailAt(std::size_t index, base::Error error) { failure_.emplace(index, std::move(error)); }
  // BeforeEach runs before a prompt is answered, with its index and id: a test kills or signals its own process there.
  void BeforeEach(std::function<void(std::size_t, const std::string&)> action) { before_each_ = std::move(action); }

  // By default nobody is asked what no simulated person may answer.
  void SetHasPeople(bool has_people) { has_people_ = has_people; }
  bool HasPeople() const override { return has_people_; }

  // What was asked and shown so far.
  std::size_t prompts() const { return asked_.size(); }
  const std::vector<std::string>& asked() const { return asked_; }  // ids in order
  const std::string& transcript() const { return transcript_; }     // as on a plain 80-column terminal
  bool AllAsked() const { return answers_.empty(); }

  void ShowBanner(const ceremony::room::Banner& banner) override { transcript_ += typesetter_.SetBanner(banner); }
  void ShowStep(const ceremony::room::StepHeading& heading) override { transcript_ += typesetter_.SetStep(heading); }
  void Say(ceremony::room::Tone tone, const std::string& text) override {
    transcript_ += typesetter_.SetSaying(tone, text);
  }
  void ShowFacts(const std::vector<ceremony::room::Fact>& facts) override {
    transcript_ += typesetter_.SetFacts(facts);
  }
  void ShowComparison(const ceremony::room::Comparison& comparison) override {
    transcript_ += typesetter_.SetComparison(comparison);
  }
  void ShowDigest(const std::string& label, base::ByteView digest) override {
    transcript_ += typesetter_.SetDigest(label, digest);
  }
  void ShowQr(const std::string& label, const std::string& text) override {
    transcript_ += "[QR code: " + label + "]\n" + text + "\n";
  }
  std::unique_ptr<ceremony::room::Busy> ShowBusy(const std::string& what) override {
    transcript_ += typesetter_.SetTaken(what, 0);
    return std::make_unique<NoBusy>();
  }

  base::Result<std::string> Ask(const ceremony::room::Question& question) override {
    transcript_ += typesetter_.SetQuestion(question);
    if (auto failed = Enter(question.id)) return *std::move(failed);
    base::Result<std::string> typed = Next(question.id, [&]() -> base::Result<std::string> {
      if (!question.simulated.empty()) return question.simulated;
      if (!question.expected.empty()) return question.expected;
      if (!question.choices.empty()) return question.choices.front();
      return base::MakeError(base::ErrorCode::kAborted, "question " + question.id + " has no simulated answer");
    });
    if (!typed.ok()) return typed;
    transcript_ += typesetter_.SetPrompt() + *typed + '\n';
    return ceremony::room::JudgeAnswer(question, *typed);
  }

  base::Result<base::SecretBytes> AskSecret(const ceremony::room::SecretQuestion& question) override {
    transcript_ += typesetter_.SetSecretQuestion(question);
    if (auto failed = Enter(question.id)) return *std::move(failed);
    const base::Result<std::string> typed = Next(question.id, [&]() -> base::Result<std::string> {
      for (const auto& [id, secret] : secrets_) {
        if (id == question.id) return secret;
      }
      return base::MakeError(base::ErrorCode::kAborted, "secret " + question.id + " has no scripted answer");
    });
    if (!typed.ok()) return typed.error();
    transcript_ += typesetter_.SetPrompt() + '\n';
    return base::SecretBytes::CopyOf(base::AsBytes(*typed));
  }

 private:
  class NoBusy final : public ceremony::room::Busy {};

  std::optional<base::Error> Enter(const std::string& id) {
    const std::size_t index = asked_.size();
    asked_.push_back(id);
    if (before_each_) before_each_(index, id);
    if (failure_ && failure_->first == index) return failure_->second;
    return std::nullopt;
  }

  template <typename Otherwise>
  base::Result<std::string> Next(const std::string& id, Otherwise otherwise) {
    if (!strict_) return otherwise();
    if (answers_.empty()) {
      return base::MakeError(base::ErrorCode::kInternal, "unexpected question " + id + " after the last scripted one");
    }
    if (answers_.front().id != id) {
      return base::MakeError(base::ErrorCode::kInternal,
                             "question " + id + " came, scripted was " + answers_.front().id);
    }
    std::string typed = std::move(answers_.front().typed);
    answers_.pop_front();
    return typed;
  }

  bool strict_ = false;
  bool has_people_ = false;
  std::deque<Answer> answers_;
  std::vector<std::pair<std::string, std::string>> secrets_;
  std::optional<std::pair<std::size_t, base::Error>> failure_;
  std::function<void(std::size_t, const std::string&)> before_each_;
  std::vector<std::string> asked_;
  std::string transcript_;
  ceremony::room::Typesetter typesetter_{ceremony::room::Look{}};
};

}  // namespace support

#endif  // TESTS_SUPPORT_SCRIPTED_TERMINAL_H_
