package amqpbus_test

import (
	"testing"

	"dozor/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
