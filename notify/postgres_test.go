package notify

import (
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/backsoon/backsoon/internal/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

// TestPostgreSQL runs the tests of what a watcher promises once more, with the
// ledger on a real PostgreSQL server; see newBench.
func TestPostgreSQL(t *testing.T) {
	for _, f := range []func(*testing.T){
		TestWholeLife, TestAbsenceNeverReopens, TestClosedAndReopenedWhileSettling, TestMissed, TestFreshLedger, TestCancelled,
		TestReopenedGoesByStorefront, TestRename, TestBackToBack, TestKilled, TestAnswers, TestSenderFault, TestRetryEndsARest,
		TestNoMailNoWriting, TestThread, TestSameLetterKeepsItsID, TestLeftMeanwhile, TestCrashBetweenSendingAndWriting,
		TestFullBatches, TestRetries, TestNewestOnly, TestReassert, TestGone, TestNewEndpoint, TestRevisionsOnlyGrow,
		TestTranslation, TestMailInEachLanguage, TestServerGoneForADay, TestOldWordsAreAnEdit,
	} {
		name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
		t.Run(name[strings.LastIndexByte(name, '.')+len(".Test"):], f)
	}
}
