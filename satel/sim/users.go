package sim

import (
	"fmt"
	"slices"

	"dozor/satel"
)

// wireRights says as which of the panel's rights the simulator's are told.
var wireRights = map[Rights][]satel.Right{
	MayArm:           {satel.RightArm},
	MayDisarm:        {satel.RightDisarm},
	MayClearAlarm:    {satel.RightClearOwnPartitions, satel.RightClearOwnObject, satel.RightClearWholeSystem},
	MayBypass:        {satel.RightBypass},
	MaySetClock:      {satel.RightSetClock},
	MayClearTroubles: {satel.RightSeeTroubles},
	MaySwitchOutputs: {satel.RightOutputs, satel.RightLatchedOutputs},
	MayUseNetwork:    {satel.RightNetwork},
	MayGiveFirstCode: {satel.RightFirstCode},
	MayEditUsers:     {satel.RightEditUsers},
}

const (
	firstMaster   = 241
	usersListSize = 30
	locksSize     = 8
)

// onWire returns a user as the panel tells of it.
func (p *Panel) onWire(u *User) satel.User {
	told := satel.User{
		Number: u.Number, Partitions: satel.NewBits(4, u.Partitions...), Name: u.Name, MayIsolate: u.Rights&MayBypass != 0,
		Master: u.Number >= firstMaster,
	}
	if u.Duress {
		told.Kind = satel.UserDuress
	}
	var rights []satel.Right
	for right, words := range wireRights {
		if u.Rights&right != 0 {
			rights = append(rights, words...)
		}
	}
	told.Rights = satel.RightsOf(rights...)
	if len(u.Partitions) == 0 {
		for number := range p.partitions {
			told.Partitions.Set(number)
		}
	}
	return told
}

// aboutUsers tells a user of itself, and of others: who there is, to whom the asker may edit also what they may do. A
// wrong code is counted as in commands.
func (p *Panel) aboutUsers(request satel.Frame) (satel.Frame, bool) {
	size := satel.UserCodeSize
	if request.Cmd != satel.CmdSelf {
		size++ // the number of a user
	}
	if len(request.Data) != size {
		return satel.Frame{}, false
	}
	asker, result := p.identify(request.Data[:satel.UserCodeSize])
	if asker == nil {
		return resultFrame(result), true
	}
	var data []byte
	var err error
	switch request.Cmd {
	case satel.CmdSelf:
		data, err = satel.AppendSelf(nil, p.onWire(asker))
	case satel.CmdUserList:
		data = satel.AppendUsers(nil, p.userLists(asker))
	default:
		number := int(request.Data[satel.UserCodeSize])
		other := p.userByNumber(number)
		switch {
		case number != asker.Number && asker.Rights&MayEditUsers == 0:
			return resultFrame(satel.ResultNoAccess), true
		case other == nil:
			return resultFrame(satel.ResultUserMissing), true
		case request.Cmd == satel.CmdUserLocks:
			locks := satel.UserLocks{Number: number, Expanders: make(satel.Bits, locksSize)}
			for _, address := range other.Locks {
				locks.Expanders.SetAddress(address)
			}
			data = satel.AppendUserLocks(nil, locks)
		default:
			data, err = satel.AppendUser(nil, p.onWire(other))
		}
	}
	if err != nil {
		return resultFrame(satel.ResultOther), true
	}
	return satel.Frame{Cmd: request.Cmd, Data: data}, true
}

func (p *Panel) userLists(asker *User) satel.Users {
	lists := satel.Users{
		Asker: asker.Number, Existing: satel.NewBits(usersListSize), Editable: satel.NewBits(usersListSize),
	}
	for _, u := range p.users {
		if u.Number > 8*usersListSize {
			continue
		}
		lists.Existing.Set(u.Number)
		if asker.Rights&MayEditUsers != 0 && u != asker {
			lists.Editable.Set(u.Number)
		}
	}
	return lists
}

// indexUsers finds users by their codes again, after the site's list has changed.
func (p *Panel) indexUsers() {
	clear(p.users)
	for i := range p.cfg.Site.Users {
		u := &p.cfg.Site.Users[i]
		p.users[u.Code] = u
	}
}

// SetUser changes a user or adds one, as a master at a keypad would. A number that was free before belongs to another
// person from now on, which records and names tell. A user without a code keeps the one that it has.
func (p *Panel) SetUser(u User) error {
	p.enter()
	defer p.leave()
	site := p.cfg.Site.clone()
	at := slices.IndexFunc(site.Users, func(other User) bool { return other.Number == u.Number })
	if at < 0 {
		u.Serial = p.serials[u.Number]
		site.Users = append(site.Users, u)
	} else {
		if u.Code == "" {
			u.Code = site.Users[at].Code
		}
		u.Serial = site.Users[at].Serial
		site.Users[at] = u
	}
	if err := site.validate(p.model); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	p.cfg.Site.Users = site.Users
	p.indexUsers()
	return nil
}

// RemoveUser removes a user.
func (p *Panel) RemoveUser(number int) error {
	p.enter()
	defer p.leave()
	at := slices.IndexFunc(p.cfg.Site.Users, func(u User) bool { return u.Number == number })
	if at < 0 {
		return fmt.Errorf("%w: user %d", ErrNotFound, number)
	}
	p.serials[number] = (p.cfg.Site.Users[at].Serial + 1) % userSerials
	p.cfg.Site.Users = slices.Delete(slices.Clone(p.cfg.Site.Users), at, at+1)
	p.indexUsers()
	return nil
}

// userSerials is how many persons can have had a number before the count begins anew.
const userSerials = 32
