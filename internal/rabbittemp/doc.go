// Package rabbittemp owns a private RabbitMQ: made from the programs on the machine, in a
// directory of its own, on free ports of the loopback interface, with a password and a
// cookie of its own, ended with the process that started it. The demo and the tests run
// on it.
//
// The server's script replaces itself by the Erlang machine, so that the process that we
// start is the broker; its helpers end when it does. Erlang's port mapper, which RabbitMQ
// would otherwise leave behind as a daemon, is a child of ours too.
//
// It imports child and the AMQP client.
package rabbittemp
